-- +goose Up
CREATE TABLE outbox_messages (
    id       TEXT   NOT NULL PRIMARY KEY,
    queue    TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    body     BYTEA  NOT NULL,
    due_ms   BIGINT NOT NULL, -- not before
    tries    BIGINT NOT NULL,
    given_up BIGINT NOT NULL, -- 1: no more tries; kept to be looked at
    error    TEXT   NOT NULL, -- of the last try
    added_ms BIGINT NOT NULL,
    UNIQUE (queue, key)
);
CREATE INDEX outbox_messages_due ON outbox_messages (given_up, due_ms);

-- +goose Down
DROP TABLE outbox_messages;
