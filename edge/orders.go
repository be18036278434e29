package edge

import (
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Order is an order of the controller to forget what is saved.
type Order struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Kind OrderKind `json:"kind"`
	What string    `json:"what"` // address or its beginning, without a scheme; a tag; "" of all
}

// OrderKind is by what is chosen what is to be forgotten.
type OrderKind string

// The kinds.
const (
	OrderURL    OrderKind = "url"
	OrderPrefix OrderKind = "prefix"
	OrderTag    OrderKind = "tag"
	OrderAll    OrderKind = "all"
)

// Orders are the newest orders, without gaps up to the head.
type Orders struct {
	Head   int64   `json:"head"` // number of the last order; 0: there was none
	Orders []Order `json:"orders"`
}

// Obeyed is the last order that was carried out.
type Obeyed struct {
	Seq int64     `json:"seq"` // 0: none yet; below: it is not known which
	At  time.Time `json:"at"`  // when that order was given
}

// ParseOrders reads a message of the controller. An order of a kind that is not
// known, of a later version, is one to forget all.
func ParseOrders(b []byte) (Orders, error) {
	var o Orders
	if err := decodeHeard("orders", b, &o); err != nil {
		return Orders{}, err
	}
	bad := func(format string, a ...any) (Orders, error) {
		return Orders{}, fault.New(fault.Invalid, "message of the controller: orders: "+format, a...)
	}
	if o.Head < 0 || o.Head > 1<<53 || int64(len(o.Orders)) > o.Head {
		return bad("%d orders up to number %d", len(o.Orders), o.Head)
	}
	for i := range o.Orders {
		r := &o.Orders[i]
		if want := o.Head - int64(len(o.Orders)-1-i); r.Seq != want {
			return bad("number %d stands where %d should", r.Seq, want)
		}
		switch r.Kind {
		case OrderURL, OrderPrefix, OrderTag:
			if r.What == "" {
				return bad("number %d does not say what is to be forgotten", r.Seq)
			}
		default:
			r.Kind, r.What = OrderAll, ""
		}
	}
	return o, nil
}

// Due are the orders to carry out after the last one that was. Where some may have
// been missed, or the count is another than it was, it is one alone: to forget
// all. next is what was obeyed then.
func (o Orders) Due(last Obeyed) (due []Order, next Obeyed) {
	next.Seq = o.Head
	first := o.Head + 1
	if n := len(o.Orders); n > 0 {
		first, next.At = o.Orders[0].Seq, o.Orders[n-1].At
	}
	all := []Order{{Seq: o.Head, At: next.At, Kind: OrderAll}}
	switch {
	case last.Seq > o.Head, last.Seq < first-1:
		return all, next
	case last.Seq >= first && !o.Orders[last.Seq-first].At.Equal(last.At):
		return all, next // the same number of another count: the controller's was set back
	}
	due = o.Orders[last.Seq+1-first:]
	if slices.ContainsFunc(due, func(r Order) bool { return r.Kind == OrderAll }) {
		return all, next
	}
	return due, next
}
