-- +goose Up
-- An alias is kept only once its owner has shown that it is theirs.
DELETE FROM login_alias WHERE confirmed = 0;

-- +goose Down
-- Nothing to bring back: those aliases signed nobody in.
SELECT 1;
