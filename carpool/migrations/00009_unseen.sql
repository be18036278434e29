-- +goose Up
ALTER TABLE carpool_bookings ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0; -- asked of a driver who does not hear of it, since one keeps the other away

-- +goose Down
ALTER TABLE carpool_bookings DROP COLUMN unseen;
