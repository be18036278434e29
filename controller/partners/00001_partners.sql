-- +goose Up
CREATE TABLE partners (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL,
    added_ms   BIGINT NOT NULL,
    rotated_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE partners;
