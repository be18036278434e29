package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Query says which lines are wanted.
type Query struct {
	Before int64  // only lines with a lower number; 0: from the newest on
	Limit  int    // at most so many; 0: 50; more than 500: 500
	Who    string // only this account's; "" for all
	Object string // only about this; "" for all
}

const (
	defaultList = 50
	maxList     = 500
)

const columns = `seq, at, who, via, source, action, object, detail, prev, hash`

// List gives lines, the newest first.
func (l *Log) List(ctx context.Context, q Query) ([]Line, error) {
	if q.Before < 0 || q.Limit < 0 {
		return nil, fault.New(fault.Invalid, "list the audit log: before and limit are not negative; leave them out for the newest %d lines", defaultList)
	}
	if q.Limit == 0 {
		q.Limit = defaultList
	}
	q.Limit = min(q.Limit, maxList)
	where, args := []string{"seq > 0"}, []any{}
	cond := func(text string, v any) {
		args = append(args, v)
		where = append(where, text+" $"+strconv.Itoa(len(args)))
	}
	if q.Before > 0 {
		cond("seq <", q.Before)
	}
	if q.Who != "" {
		cond("who =", clean(q.Who))
	}
	if q.Object != "" {
		cond("object =", clean(q.Object))
	}
	args = append(args, q.Limit)
	query := `SELECT ` + columns + ` FROM audit_line WHERE ` + strings.Join(where, " AND ") + ` ORDER BY seq DESC LIMIT $` + strconv.Itoa(len(args))
	var out []Line
	err := l.db.View(ctx, func(tx *store.Tx) error {
		out = []Line{}
		return each(ctx, tx, func(n Line, err error) error {
			if err != nil {
				return err
			}
			out = append(out, n)
			return nil
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", err)
	}
	return out, nil
}

// each reads lines one by one; a line that cannot be read comes with an error.
func each(ctx context.Context, tx *store.Tx, fn func(Line, error) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(scan(rows)); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scan(rows *sql.Rows) (Line, error) {
	var (
		n      Line
		at     int64
		detail string
	)
	if err := rows.Scan(&n.Seq, &at, &n.Who, &n.Via, &n.From, &n.Action, &n.Object, &detail, &n.Prev, &n.Hash); err != nil {
		return n, err
	}
	n.At = store.Time(at)
	if err := json.Unmarshal([]byte(detail), &n.Detail); err != nil || n.Detail == nil {
		return n, fault.New(fault.Invalid, "line %d: its detail is not an object of texts", n.Seq)
	}
	return n, nil
}
