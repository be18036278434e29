package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Call is a task of the desk's call list: somebody has to hear something, and
// only a voice reaches them. Name, Phone and Trusted are filled in for the
// operator and kept nowhere else.
type Call struct {
	ID      string            `json:"id"`
	Key     string            `json:"key"` // the same key again is the same task; "" is the ID
	Member  MemberID          `json:"member"`
	Kind    string            `json:"kind"` // what it is about: a NoticeKind, or a key of words
	With    map[string]string `json:"with,omitempty"`
	Notice  string            `json:"notice,omitempty"` // shown once the person has heard it
	State   CallState         `json:"state"`
	Due     time.Time         `json:"due"`      // should be heard by then
	Next    time.Time         `json:"next"`     // not to be tried before
	By      string            `json:"taken_by"` // operator who has it
	Lease   time.Time         `json:"lease,omitzero"`
	Tries   int               `json:"tries"`
	Outcome CallOutcome       `json:"outcome,omitempty"`
	Note    string            `json:"note,omitempty"` // for the next shift
	Made    time.Time         `json:"made"`
	Done    time.Time         `json:"done,omitzero"`

	Name    string  `json:"name,omitempty"`
	Phone   string  `json:"phone,omitempty"`
	Trusted Contact `json:"trusted,omitzero"` // after tries without an answer
}

// CallState is where a task stands.
type CallState string

const (
	CallOpen   CallState = "open"
	CallTaken  CallState = "taken"
	CallDone   CallState = "done"   // heard
	CallFailed CallState = "failed" // given up: no number, or nobody answers
)

// CallOutcome is what came of a try.
type CallOutcome string

const (
	CallReached  CallOutcome = "reached"
	CallNoAnswer CallOutcome = "no-answer"    // tried again later
	CallWrong    CallOutcome = "wrong-number" // the office finds out
	CallLater    CallOutcome = "later"        // the person asked for another time; handed to whoever is there then
	CallPassed   CallOutcome = "passed"       // handed to the next shift
)

const callColumns = `id, key, member, kind, params, notice, state, due_ms, next_ms, taken_by, lease_ms, tries, outcome, note, made_ms, done_ms`

func scanCall(row scanner) (Call, error) {
	var c Call
	var with string
	var due, next, lease, made, done int64
	if err := row.Scan(&c.ID, &c.Key, &c.Member, &c.Kind, &with, &c.Notice, &c.State, &due, &next, &c.By, &lease, &c.Tries, &c.Outcome, &c.Note, &made, &done); err != nil {
		return c, err
	}
	c.Due, c.Next, c.Lease, c.Made, c.Done = moment(due), moment(next), moment(lease), moment(made), moment(done)
	return c, unpack(with, &c.With)
}

// callIn puts a task on the desk's list, in the transaction of its event. Due
// in the past or not given is at once. A task with a key that is there already
// changes nothing.
func callIn(ctx context.Context, tx *store.Tx, c Call) error {
	if c.Member == "" || c.Kind == "" {
		return fault.New(fault.Internal, "call list: a task needs a member and a kind")
	}
	c.ID = newID("k")
	if c.Key == "" {
		c.Key = c.ID
	}
	if c.Due.Before(tx.Now) {
		c.Due = tx.Now
	}
	with, err := pack(c.With)
	if err != nil {
		return fmt.Errorf("call list: %s: %w", c.Key, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO carpool_calls (`+callColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', 0, 0, '', $10, $9, 0) ON CONFLICT (key) DO NOTHING`,
		c.ID, c.Key, string(c.Member), c.Kind, with, c.Notice, string(CallOpen), store.Millis(c.Due), store.Millis(tx.Now), c.Note)
	if err != nil {
		return fmt.Errorf("call list: %s: %w", c.Key, err)
	}
	return nil
}

// Add puts a task on the call list, for a notice that only a voice can bring.
func (d *Desk) Add(ctx context.Context, c Call) error {
	return d.deps.Store.Do(ctx, func(tx *store.Tx) error { return callIn(ctx, tx, c) })
}
