-- +goose Up
CREATE TABLE carpool_members (
    id            TEXT   NOT NULL PRIMARY KEY,
    account       TEXT   NOT NULL, -- empty: none
    first         TEXT   NOT NULL,
    last          TEXT   NOT NULL,
    phone         TEXT   NOT NULL,
    landline      BIGINT NOT NULL,
    email         TEXT   NOT NULL,
    fiscal        TEXT   NOT NULL,
    comune        TEXT   NOT NULL,
    minor         BIGINT NOT NULL,
    guardian      TEXT   NOT NULL,
    needs         TEXT   NOT NULL, -- JSON
    trusted_name  TEXT   NOT NULL,
    trusted_phone TEXT   NOT NULL,
    channels      TEXT   NOT NULL, -- with spaces between
    lang          TEXT   NOT NULL,
    large         BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    created_ms    BIGINT NOT NULL
);
CREATE UNIQUE INDEX carpool_members_account ON carpool_members (account) WHERE account <> '';
CREATE INDEX carpool_members_phone ON carpool_members (phone);
CREATE TABLE carpool_consents (
    id           TEXT   NOT NULL PRIMARY KEY,
    member       TEXT   NOT NULL,
    what         TEXT   NOT NULL,
    how          TEXT   NOT NULL,
    by_who       TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    withdrawn_ms BIGINT NOT NULL
);
CREATE INDEX carpool_consents_member ON carpool_consents (member);
CREATE TABLE carpool_vehicles (
    id      TEXT   NOT NULL PRIMARY KEY,
    driver  TEXT   NOT NULL,
    plate   TEXT   NOT NULL,
    label   TEXT   NOT NULL,
    class   TEXT   NOT NULL,
    seats   BIGINT NOT NULL,
    carries TEXT   NOT NULL, -- JSON
    gone_ms BIGINT NOT NULL  -- 0: in use
);
CREATE INDEX carpool_vehicles_driver ON carpool_vehicles (driver);
CREATE TABLE carpool_checks (
    id         TEXT   NOT NULL PRIMARY KEY,
    driver     TEXT   NOT NULL,
    vehicle    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    licence    TEXT   NOT NULL, -- dates
    insurance  TEXT   NOT NULL,
    roadworthy TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    officer    TEXT   NOT NULL,
    asked_ms   BIGINT NOT NULL,
    decided_ms BIGINT NOT NULL
);
CREATE INDEX carpool_checks_vehicle ON carpool_checks (vehicle);
CREATE INDEX carpool_checks_state ON carpool_checks (state, asked_ms);
CREATE TABLE carpool_places (
    id        TEXT             NOT NULL PRIMARY KEY,
    comune    TEXT             NOT NULL,
    name      TEXT             NOT NULL,
    lon       DOUBLE PRECISION NOT NULL,
    lat       DOUBLE PRECISION NOT NULL,
    kind      TEXT             NOT NULL,
    stop      TEXT             NOT NULL,
    lit       BIGINT           NOT NULL,
    shelter   BIGINT           NOT NULL,
    step_free BIGINT           NOT NULL,
    note      TEXT             NOT NULL,
    closed    BIGINT           NOT NULL
);
-- Private addresses stand here and nowhere else.
CREATE TABLE carpool_addresses (
    id       TEXT             NOT NULL PRIMARY KEY,
    owner    TEXT             NOT NULL,
    words    TEXT             NOT NULL,
    lon      DOUBLE PRECISION NOT NULL,
    lat      DOUBLE PRECISION NOT NULL,
    erase_ms BIGINT           NOT NULL -- 0: still needed
);
CREATE INDEX carpool_addresses_erase ON carpool_addresses (erase_ms);
CREATE TABLE carpool_listed (
    id     TEXT   NOT NULL PRIMARY KEY,
    comune TEXT   NOT NULL,
    name   TEXT   NOT NULL,
    phone  TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    hours  TEXT   NOT NULL,
    rank   BIGINT NOT NULL
);
CREATE TABLE carpool_blocks (
    member TEXT   NOT NULL,
    other  TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    PRIMARY KEY (member, other)
);
CREATE TABLE carpool_notices (
    id       TEXT   NOT NULL PRIMARY KEY,
    key      TEXT   NOT NULL UNIQUE,
    member   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    params   TEXT   NOT NULL, -- JSON
    at_ms    BIGINT NOT NULL,
    due_ms   BIGINT NOT NULL,
    shown_ms BIGINT NOT NULL
);
CREATE INDEX carpool_notices_member ON carpool_notices (member, at_ms);
-- A form that is sent twice does its work once.
CREATE TABLE carpool_once (
    key    TEXT   NOT NULL PRIMARY KEY,
    result TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE carpool_once;
DROP TABLE carpool_notices;
DROP TABLE carpool_blocks;
DROP TABLE carpool_listed;
DROP TABLE carpool_addresses;
DROP TABLE carpool_places;
DROP TABLE carpool_checks;
DROP TABLE carpool_vehicles;
DROP TABLE carpool_consents;
DROP TABLE carpool_members;
