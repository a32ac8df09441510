-- With what a dispute is proven: 0 by walking to the wrong element; else what the chain is shown at once.
ALTER TABLE disputes ADD COLUMN fraud BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disputes ADD COLUMN evidence BLOB;

-- What operators showed on chain when a watcher demanded it, by the node that was demanded.
CREATE TABLE shown (
    inquiry BLOB NOT NULL,
    level BIGINT NOT NULL,
    position BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (inquiry, level, position)
);

-- Signed answers that payers handed in. Two of one operator to one question with different outputs are equivocation.
CREATE TABLE answers (
    operator BLOB NOT NULL,
    question BLOB NOT NULL,
    output_root BLOB NOT NULL,
    message BLOB NOT NULL,
    signer BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (operator, question, output_root)
);
