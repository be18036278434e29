-- +goose Up
CREATE TABLE audit_line (
    seq    BIGINT NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    who    TEXT   NOT NULL,
    via    TEXT   NOT NULL,
    source TEXT   NOT NULL,
    action TEXT   NOT NULL,
    object TEXT   NOT NULL,
    detail TEXT   NOT NULL,
    prev   TEXT   NOT NULL,
    hash   TEXT   NOT NULL
);
CREATE INDEX audit_line_object ON audit_line (object, seq);
CREATE INDEX audit_line_who ON audit_line (who, seq);

-- +goose Down
DROP TABLE audit_line;
