-- +goose Up
-- An address or phone number that signs in to an account, known by its mark alone.
CREATE TABLE login_alias (
    hash      TEXT   NOT NULL PRIMARY KEY,
    person    TEXT   NOT NULL REFERENCES login_person (name) ON DELETE CASCADE,
    kind      TEXT   NOT NULL, -- mail or phone
    confirmed BIGINT NOT NULL  -- 0 or 1
);
CREATE INDEX login_alias_person ON login_alias (person);
-- A code on its way to the owner of an alias.
CREATE TABLE login_alias_code (
    person TEXT   NOT NULL PRIMARY KEY REFERENCES login_person (name) ON DELETE CASCADE,
    alias  TEXT   NOT NULL, -- mark
    kind   TEXT   NOT NULL,
    code   TEXT   NOT NULL, -- mark
    tries  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE login_alias_code;
DROP TABLE login_alias;
