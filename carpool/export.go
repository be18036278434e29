package carpool

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Exported is all that is held about a member: the rows of each table, by
// column; the account; and what the log says.
type Exported struct {
	Made    time.Time                   `json:"made"`
	Member  MemberID                    `json:"member"`
	Tables  map[string][]map[string]any `json:"tables"`
	Account map[string]any              `json:"account"` // null: none
	Log     []audit.Line                `json:"log"`     // the last 500 by the account, and about the member
}

// Export writes all that is held about a member as JSON, for themselves, the
// guardian of a minor, or the desk where they agreed. What is about somebody
// else in it, such as who reported them, is left out.
func (p *Privacy) Export(ctx context.Context, by By, member MemberID, w io.Writer) error {
	out := Exported{Member: member}
	account := ""
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.export", Object: string(member)}, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, member)
		if err != nil {
			return err
		}
		if by.Desk {
			if err := lookIn(ctx, tx, member, by.Account, LookExport, ""); err != nil {
				return err
			}
		}
		account, out.Made, out.Tables = m.Account, tx.Now, map[string][]map[string]any{}
		for _, h := range p.holdings() {
			rows, err := exportTable(ctx, tx, h, member)
			if err != nil {
				return err
			}
			out.Tables[h.Table] = rows
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if out.Log, err = p.logOf(ctx, account, member); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if account != "" && p.deps.Accounts != nil {
		if out.Account, err = p.deps.Accounts.Held(ctx, account); err != nil && fault.Of(err) != fault.NotFound {
			return fmt.Errorf("export: %w", err)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("export: write it: %w", err)
	}
	return nil
}

func exportTable(ctx context.Context, tx *store.Tx, h Holding, member MemberID) ([]map[string]any, error) {
	out := []map[string]any{}
	for _, a := range h.About {
		columns := h.shown(a)
		rows, err := tx.Query(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+h.Table+` WHERE `+a.Where+` ORDER BY 1`, string(member))
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", h.Table, member, err)
		}
		found, err := all(rows, func(r scanner) (map[string]any, error) {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := r.Scan(into...)
			row := map[string]any{}
			for i, c := range columns {
				row[c] = values[i]
			}
			return row, err
		})
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", h.Table, member, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// logOf are the lines of the log by an account and about a member.
func (p *Privacy) logOf(ctx context.Context, account string, member MemberID) ([]audit.Line, error) {
	out, err := p.deps.Audit.List(ctx, audit.Query{Object: string(member), Limit: 500})
	if err != nil || account == "" {
		return out, err
	}
	own, err := p.deps.Audit.List(ctx, audit.Query{Who: account, Limit: 500})
	for _, l := range own {
		if l.Object != string(member) {
			out = append(out, l)
		}
	}
	return out, err
}
