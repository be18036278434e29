-- +goose Up
CREATE TABLE changes (
    id         TEXT PRIMARY KEY,
    state      TEXT NOT NULL,
    ended      BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    until_ms   BIGINT,
    who        TEXT NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX changes_created ON changes (created_ms, id);
CREATE INDEX changes_ended ON changes (ended);

CREATE TABLE changes_devices (
    change_id TEXT NOT NULL,
    device    TEXT NOT NULL,
    ended     BIGINT NOT NULL,
    ended_ms  BIGINT,
    PRIMARY KEY (change_id, device)
);
CREATE INDEX changes_devices_device ON changes_devices (device, ended);

CREATE TABLE changes_events (
    change_id TEXT NOT NULL,
    seq       BIGINT NOT NULL,
    at_ms     BIGINT NOT NULL,
    device    TEXT NOT NULL,
    step      TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (change_id, seq)
);

CREATE TABLE changes_agreed (
    device TEXT PRIMARY KEY,
    at_ms  BIGINT NOT NULL,
    body   TEXT NOT NULL
);

-- +goose Down
DROP TABLE changes_agreed;
DROP TABLE changes_events;
DROP TABLE changes_devices;
DROP TABLE changes;
