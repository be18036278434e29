-- +goose Up
CREATE TABLE interop_operators (
    id         TEXT   NOT NULL PRIMARY KEY, -- domain name, as the standard names operators
    name       TEXT   NOT NULL,
    scopes     TEXT   NOT NULL, -- with spaces between
    webhook    TEXT   NOT NULL, -- empty: told nothing
    added_ms   BIGINT NOT NULL,
    revoked_ms BIGINT NOT NULL  -- 0: in use
);
-- A key is kept as its hash; sign is derived from it and signs what the
-- operator is told.
CREATE TABLE interop_keys (
    id       TEXT   NOT NULL PRIMARY KEY,
    operator TEXT   NOT NULL,
    hash     TEXT   NOT NULL,
    sign     TEXT   NOT NULL,
    made_ms  BIGINT NOT NULL,
    until_ms BIGINT NOT NULL -- 0: until revoked
);
CREATE INDEX interop_keys_operator ON interop_keys (operator, made_ms);
-- Bookings of passengers of other operators.
CREATE TABLE interop_bookings (
    id         TEXT   NOT NULL PRIMARY KEY, -- the UUID that both operators use
    operator   TEXT   NOT NULL,
    digest     TEXT   NOT NULL, -- of what was posted: the same again is the same booking
    ref        TEXT   NOT NULL, -- the portal's booking; empty while it is being made
    body       TEXT   NOT NULL, -- JSON of the standard
    status     TEXT   NOT NULL, -- as both know it
    pickup_ms  BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);
CREATE INDEX interop_bookings_status ON interop_bookings (status, pickup_ms);
CREATE TABLE interop_events (
    operator TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (operator, id)
);
CREATE TABLE interop_secret (
    id     TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL
);

-- +goose Down
DROP TABLE interop_secret;
DROP TABLE interop_events;
DROP TABLE interop_bookings;
DROP TABLE interop_keys;
DROP TABLE interop_operators;
