-- What an owner's runs were (shared/state/history.py), and what people shared (shared/state/shares.py).
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    task TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    receipt TEXT NOT NULL,
    error TEXT NOT NULL,
    prompt TEXT
);
CREATE INDEX runs_of_owner ON runs (owner, created);
CREATE TABLE shares (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    space TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    content TEXT NOT NULL,
    size BIGINT NOT NULL,
    file TEXT NOT NULL
);
CREATE INDEX shares_of_owner ON shares (owner, created);
