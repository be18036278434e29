-- +goose Up
ALTER TABLE carpool_places ADD COLUMN published BIGINT NOT NULL DEFAULT 0; -- a stop of the open timetable: nobody lives near it

-- +goose Down
ALTER TABLE carpool_places DROP COLUMN published;
