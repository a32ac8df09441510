-- Every database speaks this dialect, except that PostgreSQL calls BLOB otherwise (see mod.rs).

-- The newest voucher of each generation of a lane, and how far the chain has collected it.
CREATE TABLE lanes (
    lane BLOB NOT NULL,
    generation BIGINT NOT NULL,
    credit BLOB NOT NULL,
    model BLOB NOT NULL,
    model_root BLOB NOT NULL,
    private BIGINT NOT NULL,
    count BIGINT NOT NULL,
    amount_units BIGINT NOT NULL,
    collected_count BIGINT NOT NULL,
    collected_units BIGINT NOT NULL,
    expires_unix BIGINT NOT NULL,
    first_owed_unix BIGINT NOT NULL,
    voucher BLOB NOT NULL,
    PRIMARY KEY (lane, generation)
);

-- Every question that was answered, with its answer.
CREATE TABLE requests (
    lane BLOB NOT NULL,
    generation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    model_root BLOB NOT NULL,
    input_root BLOB NOT NULL,
    output_root BLOB NOT NULL,
    price_units BIGINT NOT NULL,
    salt BLOB NOT NULL,
    PRIMARY KEY (lane, generation, sequence)
);

-- Inputs that are kept, and whether anyone may have them: then they were asked about on a lane that is not private.
CREATE TABLE inputs (
    root BLOB NOT NULL PRIMARY KEY,
    public BIGINT NOT NULL
);

-- A watcher's disputes: what it committed to before it named the place.
CREATE TABLE disputes (
    dispute BLOB NOT NULL PRIMARY KEY,
    report BLOB NOT NULL,
    nonce BIGINT NOT NULL,
    collection BLOB NOT NULL,
    receipt_index BIGINT NOT NULL,
    salt BLOB NOT NULL,
    claim BLOB NOT NULL,
    receipt_salt BLOB NOT NULL,
    path BLOB NOT NULL,
    witness_key BLOB NOT NULL,
    over BIGINT NOT NULL
);

-- The game of a dispute after each move that the watcher saw, in order.
CREATE TABLE dispute_states (
    dispute BLOB NOT NULL,
    digest BLOB NOT NULL,
    position BIGINT NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (dispute, digest)
);

-- Reports that a watcher is done with.
CREATE TABLE watched (
    report BLOB NOT NULL PRIMARY KEY,
    checked BIGINT NOT NULL,
    wrong BIGINT NOT NULL
);

-- Small things that have a name.
CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);
