-- +goose Up
-- By what somebody is known again who left while suspended: marks of an address
-- or number, which only the holder of the server's key can make.
CREATE TABLE carpool_left (
    mark     TEXT   NOT NULL PRIMARY KEY,
    until_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE carpool_left;
