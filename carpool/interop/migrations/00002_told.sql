-- +goose Up
-- Bookings that an operator made elsewhere and tells of; nobody of the portal has
-- part in them.
CREATE TABLE interop_told (
    operator TEXT   NOT NULL,
    id       TEXT   NOT NULL, -- a UUID of that operator's
    body     TEXT   NOT NULL, -- JSON of the standard, of what it requires alone
    status   TEXT   NOT NULL,
    until_ms BIGINT NOT NULL, -- when it is erased
    PRIMARY KEY (operator, id)
);

-- +goose Down
DROP TABLE interop_told;
