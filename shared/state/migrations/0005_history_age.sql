-- Every run of every Space is written down: those that are too old are found without looking through all.
CREATE INDEX runs_by_age ON runs (created);
