-- +goose Up
CREATE TABLE edges (
    id       TEXT PRIMARY KEY,
    device   TEXT NOT NULL,
    hash     TEXT NOT NULL,
    added_ms BIGINT NOT NULL
);

-- Each edge has a count of its own. Orders outlive the enrolment, so that an edge
-- that is enrolled again goes on with the same count.
CREATE TABLE edge_orders (
    edge  TEXT NOT NULL,
    seq   BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind  TEXT NOT NULL,
    what  TEXT NOT NULL,
    PRIMARY KEY (edge, seq)
);

-- +goose Down
DROP TABLE edge_orders;
DROP TABLE edges;
