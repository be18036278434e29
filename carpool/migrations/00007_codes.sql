-- +goose Up
-- Who joins by a telephone that takes no texts, and waits for the desk to call
-- and read out a code. The code itself stands nowhere: it is made when an
-- operator has the person's number in hand.
CREATE TABLE carpool_code_calls (
    id       TEXT   NOT NULL PRIMARY KEY,
    account  TEXT   NOT NULL UNIQUE,
    phone    TEXT   NOT NULL,
    comune   TEXT   NOT NULL,
    state    TEXT   NOT NULL, -- open, done
    asked_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL, -- then the row goes
    taken_by TEXT   NOT NULL,
    lease_ms BIGINT NOT NULL,
    tries    BIGINT NOT NULL
);
CREATE INDEX carpool_code_calls_phone ON carpool_code_calls (phone);

-- +goose Down
DROP TABLE carpool_code_calls;
