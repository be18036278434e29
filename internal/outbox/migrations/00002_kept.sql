-- +goose Up
-- A delivered message stays for a while without its body, so that the same key
-- again is still the same message.
ALTER TABLE outbox_messages ADD COLUMN done_ms BIGINT NOT NULL DEFAULT 0; -- 0: not delivered
DROP INDEX outbox_messages_due;
CREATE INDEX outbox_messages_open ON outbox_messages (queue, due_ms) WHERE done_ms = 0 AND given_up = 0;
CREATE INDEX outbox_messages_stuck ON outbox_messages (queue, added_ms) WHERE given_up = 1;
CREATE INDEX outbox_messages_done ON outbox_messages (done_ms) WHERE done_ms > 0;

-- +goose Down
DROP INDEX outbox_messages_done;
DROP INDEX outbox_messages_stuck;
DROP INDEX outbox_messages_open;
ALTER TABLE outbox_messages DROP COLUMN done_ms;
CREATE INDEX outbox_messages_due ON outbox_messages (given_up, due_ms);
