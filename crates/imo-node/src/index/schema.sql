-- What the programs emitted. Rows are added and, when their transaction turns out to be on a dropped fork, removed; but for `finalised` none changes. So everything that is
-- shown is counted from these rows, and nothing can be counted twice.

-- Transactions that were read. Those that failed are not here.
CREATE TABLE transactions (
    signature TEXT NOT NULL PRIMARY KEY,
    slot BIGINT NOT NULL,
    unix BIGINT,
    finalised BIGINT NOT NULL,
    -- 0 when the cluster had cut its logs: then events may be missing.
    complete BIGINT NOT NULL
);
CREATE INDEX transactions_by_finality ON transactions (finalised, slot);

-- Their events. `place` is the order in which they came.
CREATE TABLE events (
    place BIGINT NOT NULL PRIMARY KEY,
    signature TEXT NOT NULL,
    position BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    unix BIGINT,
    finalised BIGINT NOT NULL,
    program TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (signature, position)
);
CREATE INDEX events_by_name ON events (name, place);

-- Who and what an event is about: each field that is an address.
CREATE TABLE mentions (
    address TEXT NOT NULL,
    field TEXT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (address, field, place)
);
CREATE INDEX mentions_by_place ON mentions (place, field);

-- Each field that is a number.
CREATE TABLE numbers (
    place BIGINT NOT NULL,
    field TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (place, field)
);

-- Of each program the newest transaction that is final and before which everything was read.
CREATE TABLE cursors (
    program TEXT NOT NULL PRIMARY KEY,
    signature TEXT NOT NULL
);
