package controller

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// PurgeKind is by what saved answers are chosen that an edge is to forget.
type PurgeKind string

const (
	PurgeURL    PurgeKind = "url"    // of one address
	PurgePrefix PurgeKind = "prefix" // of all addresses that begin alike
	PurgeTag    PurgeKind = "tag"    // of one tag, in all services
	PurgeAll    PurgeKind = "all"    // everything that is saved for all
)

// EdgeOrder is an order to forget saved answers. Each edge counts its own, from 1
// on and without gaps.
type EdgeOrder struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"` // UTC
	Kind PurgeKind `json:"kind"`
	What string    `json:"what"` // host and path with query; a tag; "" of all
}

// EdgeNews is what is to be said to an edge, but for its way.
type EdgeNews struct {
	ID     EdgeID
	Device network.DeviceID
	Head   int64       // number of the last order; 0: there was none
	Orders []EdgeOrder // the newest, in order, without gaps up to Head

	added time.Time
}

// EdgeOrdered is an order as it was given to one edge.
type EdgeOrdered struct {
	Edge EdgeID `json:"edge"`
	EdgeOrder
}

// Of the orders that are kept of an edge. What it was not told in time makes it
// forget everything, which is never wrong.
const (
	keptOrders = 200
	longest    = 2048 // bytes of what is to be forgotten
)

// Now is what there is to say to each edge, by name. It is shared: do not change
// it.
func (e *Edges) Now() []EdgeNews {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Changed tells, once and not how often, that Now is another.
func (e *Edges) Changed() <-chan struct{} { return e.changed }

// Order has an edge forget saved answers, or all edges that are enrolled where to
// is "". It gives the orders as they were numbered.
func (e *Edges) Order(ctx context.Context, to EdgeID, kind PurgeKind, what string) ([]EdgeOrdered, error) {
	what, err := checkOrder(kind, what)
	if err != nil {
		return nil, err
	}
	object := "all"
	if to != "" {
		object = string(to)
		if err := checkEdge(to); err != nil {
			return nil, fmt.Errorf("order: %w", err)
		}
	}
	var given []EdgeOrdered
	err = e.change(ctx, audit.Entry{Action: "edge.order", Object: object, Detail: map[string]string{"kind": string(kind), "what": what}}, func(tx *store.Tx) error {
		given = []EdgeOrdered{}
		ids, err := enrolled(ctx, tx, to)
		if err != nil {
			return fmt.Errorf("order: %w", err)
		}
		if len(ids) == 0 && to != "" {
			return notEnrolled("order", to)
		}
		for _, id := range ids {
			head, err := headOf(ctx, tx, id)
			if err != nil {
				return err
			}
			o := EdgeOrder{Seq: head + 1, At: store.Time(store.Millis(tx.Now)), Kind: kind, What: what}
			if err := addOrder(ctx, tx, id, o.Seq, o); err != nil {
				return err
			}
			given = append(given, EdgeOrdered{id, o})
		}
		return nil
	})
	return given, err
}

// checkOrder gives what is to be forgotten as edges write it.
func checkOrder(kind PurgeKind, what string) (string, error) {
	bad := func(format string, a ...any) (string, error) {
		return "", fault.New(fault.Invalid, "order to forget by "+string(kind)+": "+format, a...)
	}
	if len(what) > longest || !utf8.ValidString(what) || strings.ContainsFunc(what, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return bad("at most %d bytes of text, without control characters", longest)
	}
	switch kind {
	case PurgeAll:
		if what != "" {
			return bad("nothing more can be said; leave out %q", what)
		}
		return "", nil
	case PurgeTag:
		if what == "" || strings.ContainsAny(what, " ,") {
			return bad("%q is not one tag", what)
		}
		return what, nil
	case PurgeURL, PurgePrefix:
		u, err := url.Parse(what)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			return bad("%q: write it as browsers ask for it, such as https://docs.example/albo/1", what)
		}
		if u.Path == "" {
			u.Path = "/"
		}
		u.RawQuery = asSent(u.RawQuery)
		return strings.ToLower(u.Host) + u.RequestURI(), nil
	}
	return "", fault.New(fault.Invalid, "order to forget: %q is not one of url, prefix, tag and all", string(kind))
}

// asSent is a query as browsers send it, and so as edges know it.
func asSent(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func enrolled(ctx context.Context, tx *store.Tx, only EdgeID) (ids []EdgeID, err error) {
	rows, err := tx.Query(ctx, `SELECT id FROM edges WHERE id = $1 OR $1 = '' ORDER BY id`, string(only))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id EdgeID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// headOf is the number of the last order of an edge.
func headOf(ctx context.Context, tx *store.Tx, id EdgeID) (int64, error) {
	var head sql.NullInt64
	err := tx.QueryRow(ctx, `SELECT MAX(seq) FROM edge_orders WHERE edge = $1`, string(id)).Scan(&head)
	if err != nil {
		return 0, fmt.Errorf("last order of edge %s: %w", id, err)
	}
	return head.Int64, nil
}

// addOrder writes an order, and forgets those that are too old to be told.
func addOrder(ctx context.Context, tx *store.Tx, id EdgeID, seq int64, o EdgeOrder) error {
	_, err := tx.Exec(ctx, `INSERT INTO edge_orders (edge, seq, at_ms, kind, what) VALUES ($1, $2, $3, $4, $5)`, string(id), seq, store.Millis(tx.Now), string(o.Kind), o.What)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM edge_orders WHERE edge = $1 AND seq <= $2`, string(id), seq-keptOrders)
	}
	if err != nil {
		return fmt.Errorf("write an order of edge %s: %w", id, err)
	}
	return nil
}

// read gives all edges by name with their orders, and the hashes of their
// passwords beside them.
func (e *Edges) read(ctx context.Context) (now []EdgeNews, hashes []string, err error) {
	err = e.deps.Store.View(ctx, func(tx *store.Tx) error {
		now, hashes = nil, nil
		at := map[EdgeID]int{}
		rows, err := tx.Query(ctx, `SELECT id, device, hash, added_ms FROM edges ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n EdgeNews
			var hash string
			var added int64
			if err := rows.Scan(&n.ID, &n.Device, &hash, &added); err != nil {
				return err
			}
			n.added = store.Time(added)
			at[n.ID] = len(now)
			now, hashes = append(now, n), append(hashes, hash)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		orders, err := tx.Query(ctx, `SELECT edge, seq, at_ms, kind, what FROM edge_orders ORDER BY edge, seq`)
		if err != nil {
			return err
		}
		defer orders.Close()
		for orders.Next() {
			var id EdgeID
			var o EdgeOrder
			var ms int64
			if err := orders.Scan(&id, &o.Seq, &ms, &o.Kind, &o.What); err != nil {
				return err
			}
			if i, ok := at[id]; ok {
				o.At = store.Time(ms)
				now[i].Orders, now[i].Head = append(now[i].Orders, o), o.Seq
			}
		}
		return orders.Err()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read edges: %w", err)
	}
	return now, hashes, nil
}
