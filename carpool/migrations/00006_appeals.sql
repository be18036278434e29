-- +goose Up
-- What the office said to a member's appeal when the suspension stays.
ALTER TABLE carpool_suspensions ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE carpool_suspensions ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE carpool_suspensions ADD COLUMN answered_ms BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE carpool_suspensions DROP COLUMN answered_ms;
ALTER TABLE carpool_suspensions DROP COLUMN answered_by;
ALTER TABLE carpool_suspensions DROP COLUMN answer;
