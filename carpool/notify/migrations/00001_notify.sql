-- +goose Up
-- What came of a notice by each channel. It holds the names of notices alone,
-- nothing of a person.
CREATE TABLE notify_sent (
    notice  TEXT   NOT NULL,
    channel TEXT   NOT NULL, -- "": it was not sent at all
    state   TEXT   NOT NULL, -- sent, failed, skipped
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (notice, channel)
);
CREATE INDEX notify_sent_at ON notify_sent (at_ms);
-- Questions that a short message may answer.
CREATE TABLE notify_questions (
    notice   TEXT   NOT NULL PRIMARY KEY,
    member   TEXT   NOT NULL,
    booking  TEXT   NOT NULL,
    asked_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    answer   TEXT   NOT NULL -- "" while it is open
);
CREATE INDEX notify_questions_member ON notify_questions (member, asked_ms);
-- How often something was done on one day.
CREATE TABLE notify_daily (
    day  TEXT   NOT NULL,
    what TEXT   NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (day, what)
);
-- Secret addresses of calendars, hashed.
CREATE TABLE notify_calendars (
    member  TEXT   NOT NULL PRIMARY KEY,
    hash    TEXT   NOT NULL UNIQUE,
    made_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE notify_calendars;
DROP TABLE notify_daily;
DROP TABLE notify_questions;
DROP TABLE notify_sent;
