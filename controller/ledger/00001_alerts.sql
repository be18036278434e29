-- +goose Up
CREATE TABLE alerts (
    id        TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,
    link      TEXT NOT NULL,
    device    TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    closed_ms BIGINT,
    body      TEXT NOT NULL
);
CREATE INDEX alerts_opened ON alerts (opened_ms);
CREATE INDEX alerts_closed ON alerts (closed_ms);

-- +goose Down
DROP TABLE alerts;
