-- A class (shared/classroom/): what the teacher set, who is in it, what they made, and their votes.
CREATE TABLE class_facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE class_people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    joined DOUBLE PRECISION NOT NULL,
    muted INTEGER NOT NULL,
    removed INTEGER NOT NULL
);
CREATE TABLE class_works (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    task TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    prompt TEXT NOT NULL,
    receipt TEXT NOT NULL,
    media_type TEXT NOT NULL,
    file TEXT NOT NULL,
    size BIGINT NOT NULL
);
CREATE INDEX class_works_of ON class_works (person, created);
CREATE TABLE class_votes (
    poll TEXT NOT NULL,
    person TEXT NOT NULL,
    choice TEXT NOT NULL,
    PRIMARY KEY (poll, person)
);
