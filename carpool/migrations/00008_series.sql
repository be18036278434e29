-- +goose Up
ALTER TABLE carpool_requests ADD COLUMN series TEXT NOT NULL DEFAULT ''; -- journeys asked for together, again and again
CREATE INDEX carpool_requests_series ON carpool_requests (series);

-- +goose Down
DROP INDEX carpool_requests_series;
ALTER TABLE carpool_requests DROP COLUMN series;
