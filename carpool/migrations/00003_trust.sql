-- +goose Up
ALTER TABLE carpool_members ADD COLUMN family BIGINT NOT NULL DEFAULT 0; -- the phone is shared at home
ALTER TABLE carpool_checks ADD COLUMN consent TEXT NOT NULL DEFAULT '';
ALTER TABLE carpool_checks ADD COLUMN over_ms BIGINT NOT NULL DEFAULT 0; -- when rides after its last day were cancelled
-- Pictures of papers, until the decision.
CREATE TABLE carpool_pictures (
    id       TEXT   NOT NULL PRIMARY KEY,
    check_id TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    media    TEXT   NOT NULL,
    data     BYTEA  NOT NULL,
    at_ms    BIGINT NOT NULL
);
CREATE INDEX carpool_pictures_check ON carpool_pictures (check_id);
-- Who looked at whom, for the person looked at.
CREATE TABLE carpool_looks (
    id     TEXT   NOT NULL PRIMARY KEY,
    member TEXT   NOT NULL,
    who    TEXT   NOT NULL, -- account
    what   TEXT   NOT NULL,
    thing  TEXT   NOT NULL, -- name of the check, booking …
    at_ms  BIGINT NOT NULL
);
CREATE INDEX carpool_looks_member ON carpool_looks (member, at_ms);
CREATE INDEX carpool_looks_who ON carpool_looks (who, at_ms);
CREATE TABLE carpool_suspensions (
    id          TEXT   NOT NULL PRIMARY KEY,
    member      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    by_who      TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    settled_by  TEXT   NOT NULL,
    settled     TEXT   NOT NULL, -- words of whoever settled it
    settled_ms  BIGINT NOT NULL,
    appeal      TEXT   NOT NULL,
    appeal_ms   BIGINT NOT NULL,
    lifted_by   TEXT   NOT NULL,
    lifted      TEXT   NOT NULL,
    lifted_ms   BIGINT NOT NULL
);
CREATE INDEX carpool_suspensions_member ON carpool_suspensions (member);
-- The desk's call list.
CREATE TABLE carpool_calls (
    id       TEXT   NOT NULL PRIMARY KEY,
    key      TEXT   NOT NULL UNIQUE,
    member   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    params   TEXT   NOT NULL, -- JSON
    notice   TEXT   NOT NULL,
    state    TEXT   NOT NULL,
    due_ms   BIGINT NOT NULL,
    next_ms  BIGINT NOT NULL, -- not before
    taken_by TEXT   NOT NULL,
    lease_ms BIGINT NOT NULL,
    tries    BIGINT NOT NULL,
    outcome  TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    made_ms  BIGINT NOT NULL,
    done_ms  BIGINT NOT NULL
);
CREATE INDEX carpool_calls_open ON carpool_calls (state, due_ms);
CREATE INDEX carpool_calls_member ON carpool_calls (member);
-- Short messages between the two of a booking.
CREATE TABLE carpool_messages (
    id       TEXT   NOT NULL PRIMARY KEY,
    booking  TEXT   NOT NULL,
    sender   TEXT   NOT NULL,
    receiver TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL
);
CREATE INDEX carpool_messages_booking ON carpool_messages (booking, at_ms);
CREATE INDEX carpool_messages_sender ON carpool_messages (sender, at_ms);
CREATE TABLE carpool_reports (
    id         TEXT   NOT NULL PRIMARY KEY,
    reporter   TEXT   NOT NULL, -- empty: the portal itself
    about      TEXT   NOT NULL, -- member
    other      TEXT   NOT NULL, -- second member it concerns
    booking    TEXT   NOT NULL,
    ride       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    handled_by TEXT   NOT NULL,
    at_ms      BIGINT NOT NULL,
    handled_ms BIGINT NOT NULL
);
CREATE INDEX carpool_reports_state ON carpool_reports (state, at_ms);

-- +goose Down
DROP TABLE carpool_reports;
DROP TABLE carpool_messages;
DROP TABLE carpool_calls;
DROP TABLE carpool_suspensions;
DROP TABLE carpool_looks;
DROP TABLE carpool_pictures;
ALTER TABLE carpool_checks DROP COLUMN over_ms;
ALTER TABLE carpool_checks DROP COLUMN consent;
ALTER TABLE carpool_members DROP COLUMN family;
