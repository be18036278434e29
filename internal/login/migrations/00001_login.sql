-- +goose Up
CREATE TABLE login_person (
    name         TEXT   NOT NULL PRIMARY KEY,
    created      BIGINT NOT NULL,
    password     TEXT   NOT NULL, -- argon2id as PHC text; empty: none yet
    locked       BIGINT NOT NULL, -- 0 or 1
    signed_in    BIGINT NOT NULL, -- last time; 0: never
    totp         TEXT   NOT NULL, -- sealed; empty: no second factor
    totp_pending TEXT   NOT NULL, -- sealed; shown, but not confirmed yet
    totp_step    BIGINT NOT NULL  -- the last 30 s step whose code was accepted
);
CREATE TABLE login_grant (
    person   TEXT NOT NULL REFERENCES login_person (name) ON DELETE CASCADE,
    role     TEXT NOT NULL,
    scope    TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    PRIMARY KEY (person, role, scope, scope_id)
);
CREATE TABLE login_invite (
    person TEXT   NOT NULL PRIMARY KEY REFERENCES login_person (name) ON DELETE CASCADE,
    hash   TEXT   NOT NULL UNIQUE,
    until  BIGINT NOT NULL
);
CREATE TABLE login_recovery (
    person TEXT NOT NULL REFERENCES login_person (name) ON DELETE CASCADE,
    hash   TEXT NOT NULL,
    PRIMARY KEY (person, hash)
);
CREATE TABLE login_known (
    hash   TEXT   NOT NULL PRIMARY KEY, -- of account and device, or of account and network
    person TEXT   NOT NULL REFERENCES login_person (name) ON DELETE CASCADE,
    kind   TEXT   NOT NULL,             -- device or source
    until  BIGINT NOT NULL
);
CREATE INDEX login_known_person ON login_known (person);
CREATE TABLE login_token (
    id      TEXT   NOT NULL PRIMARY KEY,
    person  TEXT   NOT NULL REFERENCES login_person (name) ON DELETE CASCADE,
    name    TEXT   NOT NULL,
    hash    TEXT   NOT NULL,
    rights  TEXT   NOT NULL, -- with spaces between
    created BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    used    BIGINT NOT NULL  -- to the hour; 0: never
);
CREATE INDEX login_token_person ON login_token (person);
CREATE TABLE login_session (
    hash    TEXT   NOT NULL PRIMARY KEY,
    person  TEXT   NOT NULL, -- empty before sign-in
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    expiry  BIGINT NOT NULL,
    source  TEXT   NOT NULL,
    agent   TEXT   NOT NULL,
    data    BYTEA  NOT NULL,
    ended   BIGINT NOT NULL  -- 1: kept until it expires, so that a request still under way cannot bring it back
);
CREATE INDEX login_session_person ON login_session (person);

-- +goose Down
DROP TABLE login_session;
DROP TABLE login_token;
DROP TABLE login_known;
DROP TABLE login_recovery;
DROP TABLE login_invite;
DROP TABLE login_grant;
DROP TABLE login_person;
