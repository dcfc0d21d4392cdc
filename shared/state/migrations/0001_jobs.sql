-- Jobs at providers (shared/jobs/job.py), results where no folder is shared, and secrets of the servers together.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    variant TEXT NOT NULL,
    provider TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    updated DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    upstream TEXT NOT NULL,
    note TEXT NOT NULL,
    request TEXT NOT NULL,
    quoted_usd DOUBLE PRECISION,
    receipt TEXT NOT NULL,
    result TEXT NOT NULL,
    file TEXT NOT NULL
);
CREATE INDEX jobs_of_owner ON jobs (owner);
CREATE TABLE files (
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    data BYTEA NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (folder, name)
);
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
