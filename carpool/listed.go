package carpool

import (
	"context"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const listedColumns = `id, comune, name, phone, kind, hours, rank`

func scanListed(row scanner) (Listed, error) {
	var l Listed
	err := row.Scan(&l.ID, &l.Comune, &l.Name, &l.Phone, &l.Kind, &l.Hours, &l.Order)
	return l, err
}

// listedIn are those to call from a comune: its own and those for all, in the
// union's order; "" gives the whole list.
func listedIn(ctx context.Context, tx *store.Tx, comune string) ([]Listed, error) {
	rows, err := tx.Query(ctx, `SELECT `+listedColumns+` FROM carpool_listed WHERE $1 = '' OR comune = '' OR comune = $1 ORDER BY rank, name, id`, sentence(comune))
	if err != nil {
		return nil, fmt.Errorf("read the list of who to call: %w", err)
	}
	return all(rows, scanListed)
}

// Listed gives the list of who to call from a comune; "" all of it.
func (p *Places) Listed(ctx context.Context, comune string) ([]Listed, error) {
	var out []Listed
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = listedIn(ctx, tx, comune); return err })
	return out, err
}

var listedKinds = []string{"association", "on-call-bus", "taxi"}

// PutListed adds somebody to the list (no ID), or changes them. The union
// alone keeps it.
func (p *Places) PutListed(ctx context.Context, by By, l Listed) (Listed, error) {
	if err := mayOffice(by); err != nil {
		return Listed{}, err
	}
	l, err := checkListed(l)
	if err != nil {
		return Listed{}, err
	}
	if l.ID == "" {
		l.ID = newID("l")
	}
	err = p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.listed.put", Object: l.ID}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO carpool_listed (`+listedColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET comune = excluded.comune, name = excluded.name, phone = excluded.phone, kind = excluded.kind, hours = excluded.hours, rank = excluded.rank`,
			sentence(l.ID), l.Comune, l.Name, l.Phone, l.Kind, l.Hours, l.Order)
		return err
	})
	if err != nil {
		return Listed{}, fmt.Errorf("keep the list of who to call: %w", err)
	}
	return l, nil
}

func checkListed(l Listed) (Listed, error) {
	var err error
	if l.Name, err = cleanName("name", l.Name, maxName, true); err != nil {
		return l, err
	}
	if l.Phone, err = contact.Phone(l.Phone); err != nil {
		return l, err
	}
	if l.Hours, err = cleanName("hours", l.Hours, 2*maxName, true); err != nil {
		return l, err
	}
	switch {
	case !slices.Contains(listedKinds, l.Kind):
		return l, fault.New(fault.Invalid, "kind: association, on-call-bus or taxi")
	case l.Comune != "" && (len(l.Comune) != 6 || !digits(l.Comune)):
		return l, fault.New(fault.Invalid, "comune: choose one of the list, or none for all")
	case l.Order < 0 || l.Order > 999:
		return l, fault.New(fault.Invalid, "order: 0 to 999")
	case len(l.ID) > maxName:
		return l, fault.New(fault.Invalid, "the list has no such line")
	}
	return l, nil
}

// DropListed takes somebody off the list.
func (p *Places) DropListed(ctx context.Context, by By, id string) error {
	if err := mayOffice(by); err != nil {
		return err
	}
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.listed.drop", Object: id}, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM carpool_listed WHERE id = $1`, sentence(id))
		return oneRow(res, err, "the list has no such line")
	})
	if err != nil {
		return fmt.Errorf("keep the list of who to call: %w", err)
	}
	return nil
}

// oneRow is NotFound where a statement met no row.
func oneRow(res interface{ RowsAffected() (int64, error) }, err error, none string) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "%s", none)
}
