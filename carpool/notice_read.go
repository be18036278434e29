package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostNotices of one answer.
const mostNotices = 200

const noticeColumns = `id, key, member, kind, params, at_ms, due_ms, shown_ms`

func scanNotice(row scanner) (Notice, error) {
	var n Notice
	var with string
	var at, due, shown int64
	if err := row.Scan(&n.ID, &n.Key, &n.Member, &n.Kind, &with, &at, &due, &shown); err != nil {
		return n, err
	}
	n.At, n.Due = moment(at), moment(due)
	if shown != 0 {
		t := moment(shown)
		n.Shown = &t
	}
	return n, unpack(with, &n.With)
}

// noticeIn reads a notice; NotFound where there is none.
func noticeIn(ctx context.Context, tx *store.Tx, id string) (Notice, error) {
	n, err := scanNotice(tx.QueryRow(ctx, `SELECT `+noticeColumns+` FROM carpool_notices WHERE id = $1`, sentence(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return n, fault.New(fault.NotFound, "there is no such notice")
	}
	if err != nil {
		return n, fmt.Errorf("read notice %.40q: %w", id, err)
	}
	return n, nil
}

// Notices are what a member was told, the newest first, at most limit. Those
// with Shown were read already.
func (p *Members) Notices(ctx context.Context, member MemberID, limit int) ([]Notice, error) {
	var out []Notice
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+noticeColumns+` FROM carpool_notices WHERE member = $1 ORDER BY at_ms DESC, id LIMIT $2`,
			sentence(string(member)), min(max(limit, 0), mostNotices))
		if err != nil {
			return err
		}
		out, err = all(rows, scanNotice)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read notices of %s: %w", member, err)
	}
	return out, nil
}

// SeenNotice writes down that a member has read a notice. Somebody else's is
// NotFound, as one that does not exist; one that was read stays as it is.
func (p *Members) SeenNotice(ctx context.Context, member MemberID, id string) error {
	return p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		n, err := noticeIn(ctx, tx, id)
		if err == nil && (member == "" || n.Member != member) {
			err = fault.New(fault.NotFound, "there is no such notice")
		}
		if err != nil || n.Shown != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE carpool_notices SET shown_ms = $2 WHERE id = $1 AND shown_ms = 0`, n.ID, store.Millis(tx.Now))
		if err != nil {
			return fmt.Errorf("mark notice %s as read: %w", n.ID, err)
		}
		return nil
	})
}
