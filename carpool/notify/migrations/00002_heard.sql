-- +goose Up
-- Short messages that came in, by a hash of their names. The question that one
-- answers is chosen and written before anything is done, so that the same
-- message, brought again, answers no other.
CREATE TABLE notify_heard (
    message TEXT   NOT NULL PRIMARY KEY,
    day     TEXT   NOT NULL, -- on which it was brought last
    notice  TEXT   NOT NULL, -- that it answers; "": none
    done    BIGINT NOT NULL
);
CREATE INDEX notify_heard_day ON notify_heard (day);
INSERT INTO notify_heard (message, day, notice, done) SELECT substr(what, 4), MAX(day), '', 1 FROM notify_daily WHERE what LIKE 'in %' GROUP BY what;
DELETE FROM notify_daily WHERE what LIKE 'in %';

-- +goose Down
DROP TABLE notify_heard;
