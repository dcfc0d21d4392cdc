-- Whose each open page is (shared/state/visited.py): `page` is the hash of its session's name.
CREATE TABLE visits (
    page TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    seen DOUBLE PRECISION NOT NULL
);
CREATE INDEX visits_by_age ON visits (seen);
