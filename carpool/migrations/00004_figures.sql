-- +goose Up
-- The monthly figures as they were published: a month is counted once, so that
-- no later count differs from it by one person.
CREATE TABLE carpool_figures (
    month   TEXT   NOT NULL PRIMARY KEY, -- "2026-11"
    body    TEXT   NOT NULL,             -- JSON
    made_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE carpool_figures;
