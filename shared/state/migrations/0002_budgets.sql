-- Budgets (shared/state/ledger.py). Amounts are millionths of a unit, so that sums are exact.
CREATE TABLE budgets (
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    cap BIGINT,
    spent BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    PRIMARY KEY (account, unit)
);
CREATE TABLE reservations (
    id TEXT PRIMARY KEY,
    front TEXT NOT NULL,
    state TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL
);
CREATE INDEX reservations_held ON reservations (state, front);
CREATE TABLE holds (
    reservation TEXT NOT NULL,
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    held BIGINT NOT NULL,
    charged BIGINT NOT NULL,
    PRIMARY KEY (reservation, account, unit)
);
CREATE TABLE fronts (
    id TEXT PRIMARY KEY,
    seen DOUBLE PRECISION NOT NULL
);
