package carpool

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// Queue is where notices wait to be sent, by carpool/notify.
const Queue = "carpool"

// Notice is one thing that somebody is told. It is written in the transaction
// of what it tells; its Key makes telling it again harmless.
type Notice struct {
	ID     string            `json:"id"` // "n-…", given by Tell
	Key    string            `json:"key"`
	Member MemberID          `json:"member"`
	Kind   NoticeKind        `json:"kind"`
	With   map[string]string `json:"with"` // names of things, never personal data: booking, ride, request, reason …
	At     time.Time         `json:"at"`
	Due    time.Time         `json:"due,omitzero"` // by then it should have been heard
	Shown  *time.Time        `json:"shown,omitempty"`
}

// Keys of Notice.With. Whoever tells a notice names the thing it is about, and
// the words are filled in when it is sent, with what its reader may see then.
const (
	WithBooking = "booking" // of booking.*, guardian, message
	WithRide    = "ride"    // of ride.at-risk, ride.safe
	WithRequest = "request" // of way.*, drivers.asked
	WithListed  = "listed"  // of way.list: whom to call
	WithVehicle = "vehicle" // of check.*
	WithBy      = "by"      // of booking.cancelled: "rider", "driver", "desk" or "program"
	WithUntil   = "until"   // of check.due: the last valid day, a Date
	WithReason  = "reason"  // a key of words, never free text
	WithTo      = "to"      // "trusted": to the member's trusted contact, not to the member
)

// NoticeKind is what a notice says; the words are carpool/notify's.
type NoticeKind string

const (
	NoticeAsked        NoticeKind = "booking.asked"     // to the driver
	NoticeAccepted     NoticeKind = "booking.accepted"  // to both
	NoticeDeclined     NoticeKind = "booking.declined"  // to the rider
	NoticeCancelled    NoticeKind = "booking.cancelled" // to both; with.by
	NoticeMoved        NoticeKind = "booking.moved"     // times changed as others were taken in
	NoticeNoShow       NoticeKind = "booking.no-show"
	NoticeBoarded      NoticeKind = "booking.boarded"
	NoticeCompleted    NoticeKind = "booking.completed"
	NoticeReminder     NoticeKind = "booking.reminder" // the evening before
	NoticeSearching    NoticeKind = "way.search"
	NoticeOfferFound   NoticeKind = "way.found"     // a new lift fits a request or a search alert
	NoticeListed       NoticeKind = "way.list"      // whom to call
	NoticeDesk         NoticeKind = "way.desk"      // the desk finds a way
	NoticeRoadAsked    NoticeKind = "drivers.asked" // to drivers who know the road
	NoticeAtRisk       NoticeKind = "ride.at-risk"
	NoticeSafe         NoticeKind = "ride.safe" // what was at risk takes place
	NoticeCheckPassed  NoticeKind = "check.passed"
	NoticeCheckRefused NoticeKind = "check.refused"
	NoticeCheckDue     NoticeKind = "check.due"
	NoticeSuspended    NoticeKind = "member.suspended"
	NoticeUpheld       NoticeKind = "member.upheld" // the answer to an appeal: the suspension stays
	NoticeRestored     NoticeKind = "member.restored"
	NoticeMessage      NoticeKind = "message"
	NoticeGuardian     NoticeKind = "guardian" // to the guardian of a minor, or a trusted contact
	NoticeReport       NoticeKind = "report"   // outcome of a report
	NoticeWelcome      NoticeKind = "welcome"
	NoticeAccess       NoticeKind = "account.access" // the desk vouched for what signs in
	NoticeDeleted      NoticeKind = "deleted"
)

// Tell writes a notice and puts it in the outbox, in the transaction of its
// event. A notice with a key that was told already changes nothing.
func Tell(ctx context.Context, tx *store.Tx, box *outbox.Box, n Notice) error {
	if n.Member.Outside() { // their own operator tells them
		return nil
	}
	n.ID, n.At = newID("n"), tx.Now
	with, err := json.Marshal(n.With)
	if err != nil {
		return fmt.Errorf("notice %s: %w", n.Key, err)
	}
	res, err := tx.Exec(ctx, `INSERT INTO carpool_notices (id, key, member, kind, params, at_ms, due_ms, shown_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (key) DO NOTHING`,
		n.ID, n.Key, string(n.Member), string(n.Kind), string(with), store.Millis(n.At), millis(n.Due))
	if err != nil {
		return fmt.Errorf("notice %s: %w", n.Key, err)
	}
	if fresh, err := res.RowsAffected(); err != nil || fresh == 0 {
		return err
	}
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("notice %s: %w", n.Key, err)
	}
	return box.Add(ctx, tx, outbox.Message{Queue: Queue, Key: n.ID, Body: body})
}

// millis is a time as stored; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Millis(t)
}

// moment is the inverse of millis.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return store.Time(ms)
}
