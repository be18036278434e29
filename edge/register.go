package edge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Register is an emergency register (registro di emergenza, DPR 445/2000 art.
// 63): what is registered while the protocol system cannot be reached, and the
// official number that each line gets after. It is a list of steps that is only
// added to; each carries the hash of the one before, so that what is altered
// later is found. It never makes an official number.
type Register struct {
	ID     string // CARAVINO-2026-RE01
	Comune string
	Cause  string
	Since  time.Time // when the interruption began
	Ended  time.Time // when the system was back; zero before
	Closed time.Time // when every line had its number; zero before
	Opener string    // the officer who opened it
	// Authorised are the acts for more than a day (art. 63 c. 2).
	Authorised []Authorisation
	Lines      []RegisterLine
	Steps      []RegisterStep
}

// RegisterLine is one registration.
type RegisterLine struct {
	Number        int // never one twice in a comune, over all its registers
	Date          time.Time
	By            string // the officer
	Direction     Direction
	Correspondent string // sender of what comes in, addressee of what goes out
	Subject       string
	Digest        string // SHA-256 of the document in hex; "" for paper
	Annulled      string // why; "" when it holds. An annulled line stays readable.
	Official      Official
	Hash          string
}

// Direction is whether a document came in or went out.
type Direction string

const (
	In  Direction = "in"
	Out Direction = "out"
)

// Official is the number that the protocol system gave to a line.
type Official struct {
	Number string
	Date   time.Time
	ByHand bool // somebody typed it; else the protocol system told it
	By     string
}

// Authorisation is an act that lets an emergency register be used for longer.
type Authorisation struct {
	Act   string
	Until time.Time
}

// RegisterStep is one step of a register, as it is kept and hashed. What a kind
// does not use is empty.
type RegisterStep struct {
	Kind          string    `json:"kind"` // open, line, authorise, annul, restore, reconcile, close
	At            time.Time `json:"at"`
	By            string    `json:"by"`
	ID            string    `json:"id,omitempty"`
	Comune        string    `json:"comune,omitempty"`
	Cause         string    `json:"cause,omitempty"` // also why a line is annulled
	Time          time.Time `json:"time,omitzero"`   // begin, end, until, or date of the official number
	Line          int       `json:"line,omitempty"`
	Direction     Direction `json:"direction,omitempty"`
	Correspondent string    `json:"correspondent,omitempty"`
	Subject       string    `json:"subject,omitempty"`
	Digest        string    `json:"digest,omitempty"`
	Act           string    `json:"act,omitempty"`
	Official      string    `json:"official,omitempty"`
	ByHand        bool      `json:"by_hand,omitempty"`
	Previous      string    `json:"previous"`
	Hash          string    `json:"hash"`
}

// sum is the SHA-256 over the canonical form of a step: each field with its
// length before it, so that no two steps have the same form.
func (s RegisterStep) sum() string {
	h := sha256.New()
	fmt.Fprint(h, "crinale emergency register 1\n")
	for _, f := range []string{
		s.Previous, s.Kind, instant(s.At), s.By, s.ID, s.Comune, s.Cause, instant(s.Time), strconv.Itoa(s.Line), string(s.Direction),
		s.Correspondent, s.Subject, s.Digest, s.Act, s.Official, strconv.FormatBool(s.ByHand),
	} {
		fmt.Fprintf(h, "%d:%s\n", len(f), f)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Head is the hash of the last step. Whoever notes it elsewhere, on paper for
// one, sees later if the end was cut off or all was written anew.
func (r *Register) Head() string {
	if len(r.Steps) == 0 {
		return ""
	}
	return r.Steps[len(r.Steps)-1].Hash
}

// LineNumber is the emergency number of a line, as it is printed.
func (r *Register) LineNumber(line int) string { return fmt.Sprintf("RE-%s-%04d", r.Comune, line) }

// OpenRegister begins a register. first is the number of its first line.
func OpenRegister(id, comune, officer, cause string, since, now time.Time, first int) (*Register, error) {
	r := &Register{}
	_, err := r.Add(RegisterStep{Kind: "open", ID: id, Comune: comune, By: officer, Cause: cause, Time: since, At: now, Line: first})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Add puts a step behind the others, and gives it with its hashes. A step that
// cannot be is refused, and nothing changes.
func (r *Register) Add(s RegisterStep) (RegisterStep, error) {
	s.At, s.Time = s.At.UTC().Round(0), s.Time.UTC().Round(0)
	for _, f := range []*string{&s.By, &s.Cause, &s.Correspondent, &s.Subject, &s.Act, &s.Official} {
		*f = strings.TrimSpace(strings.ToValidUTF8(*f, "\uFFFD"))
	}
	s.Previous = r.Head()
	s.Hash = s.sum()
	return s, r.follow(s)
}

// follow brings the register to what it is after a step.
func (r *Register) follow(s RegisterStep) error {
	if s.By == "" || s.At.IsZero() || len(s.Cause)+len(s.Correspondent)+len(s.Subject)+len(s.Act)+len(s.Official)+len(s.By) > 64<<10 {
		return fault.New(fault.Invalid, "register %s: %s: name the officer and the time, in less than 64 KB", r.ID, s.Kind)
	}
	if (s.Kind == "open") != (len(r.Steps) == 0) || s.Kind != "open" && !r.Closed.IsZero() {
		return fault.New(fault.Conflict, "register %s: %s: it is not open for this: open one first", r.ID, s.Kind)
	}
	var err error
	switch s.Kind {
	case "open":
		err = r.open(s)
	case "line":
		err = r.line(s)
	case "authorise":
		err = r.authorise(s)
	case "annul":
		err = r.annul(s)
	case "restore":
		err = r.restore(s)
	case "reconcile":
		err = r.reconcile(s)
	case "close":
		err = r.close(s)
	default:
		err = fault.New(fault.Invalid, "register %s: %q is no step", r.ID, s.Kind)
	}
	if err == nil {
		r.Steps = append(r.Steps, s)
	}
	return err
}

func (r *Register) open(s RegisterStep) error {
	if s.ID == "" || s.Comune == "" || s.Cause == "" || s.Time.IsZero() || s.Line < 1 {
		return fault.New(fault.Invalid, "open a register: name the comune, the cause and when the interruption began")
	}
	if s.Time.After(s.At) {
		return fault.New(fault.Invalid, "open a register: the interruption begins at %s, after now: give a time that is past", instant(s.Time))
	}
	r.ID, r.Comune, r.Cause, r.Since, r.Opener = s.ID, s.Comune, s.Cause, s.Time, s.By
	return nil
}

// next is the number of the next line.
func (r *Register) next() int {
	if n := len(r.Lines); n > 0 {
		return r.Lines[n-1].Number + 1
	}
	return r.Steps[0].Line
}

func (r *Register) line(s RegisterStep) error {
	switch {
	case !r.Ended.IsZero():
		return fault.New(fault.Conflict, "register %s: the protocol system is back: register there", r.ID)
	case s.Line != r.next():
		return fault.New(fault.Conflict, "register %s: line %d: the next is %d", r.ID, s.Line, r.next())
	case s.Direction != In && s.Direction != Out:
		return fault.New(fault.Invalid, "register %s: direction %q: use in or out", r.ID, string(s.Direction))
	case s.Subject == "" || s.Correspondent == "":
		return fault.New(fault.Invalid, "register %s: name the subject, and the sender or addressee", r.ID)
	}
	if d, err := hex.DecodeString(s.Digest); s.Digest != "" && (err != nil || len(d) != sha256.Size || s.Digest != strings.ToLower(s.Digest)) {
		return fault.New(fault.Invalid, "register %s: digest %q: give a SHA-256 as 64 hex digits", r.ID, s.Digest)
	}
	r.Lines = append(r.Lines, RegisterLine{Number: s.Line, Date: s.At, By: s.By, Direction: s.Direction,
		Correspondent: s.Correspondent, Subject: s.Subject, Digest: s.Digest, Hash: s.Hash})
	return nil
}

// longest is how long one act lets a register be used (art. 63 c. 2), and
// withoutAct how long it is used without one.
const (
	longest    = 7 * 24 * time.Hour
	withoutAct = 24 * time.Hour
)

func (r *Register) authorise(s RegisterStep) error {
	if s.Act == "" || s.Time.IsZero() {
		return fault.New(fault.Invalid, "register %s: name the act that authorises it and until when", r.ID)
	}
	if from := r.covered(); s.Time.Sub(from) > longest || !s.Time.After(from) {
		return fault.New(fault.Invalid, "register %s: until %s: an act lasts a week at most, from %s on (DPR 445/2000 art. 63 c. 2)", r.ID, instant(s.Time), instant(from))
	}
	r.Authorised = append(r.Authorised, Authorisation{s.Act, s.Time})
	return nil
}

// covered is until when the register may be used as things stand.
func (r *Register) covered() time.Time {
	if n := len(r.Authorised); n > 0 {
		return r.Authorised[n-1].Until
	}
	return r.Since.Add(withoutAct)
}

// NeedsAct says that the register is used for longer than is authorised. Lines
// are taken nevertheless, as a document that came in has come in.
func (r *Register) NeedsAct(now time.Time) bool {
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	return now.After(r.covered())
}

// at is the place of a line in Lines; -1 for none.
func (r *Register) at(line int) int {
	return slices.IndexFunc(r.Lines, func(l RegisterLine) bool { return l.Number == line })
}

func (r *Register) annul(s RegisterStep) error {
	i := r.at(s.Line)
	switch {
	case i < 0:
		return fault.New(fault.NotFound, "register %s: it has no line %d", r.ID, s.Line)
	case s.Cause == "":
		return fault.New(fault.Invalid, "register %s: line %d: say why it is annulled", r.ID, s.Line)
	case r.Lines[i].Annulled != "":
		return fault.New(fault.Conflict, "register %s: line %d is annulled already", r.ID, s.Line)
	}
	r.Lines[i].Annulled = s.Cause
	return nil
}

func (r *Register) restore(s RegisterStep) error {
	switch {
	case !r.Ended.IsZero():
		return fault.New(fault.Conflict, "register %s: its end is noted already", r.ID)
	case s.Time.Before(r.Since) || s.Time.After(s.At):
		return fault.New(fault.Invalid, "register %s: end at %s: give a time between the begin and now", r.ID, instant(s.Time))
	case len(r.Lines) > 0 && s.Time.Before(r.Lines[len(r.Lines)-1].Date):
		return fault.New(fault.Invalid, "register %s: end at %s: line %d is later", r.ID, instant(s.Time), r.Lines[len(r.Lines)-1].Number)
	}
	r.Ended = s.Time
	return nil
}

func (r *Register) reconcile(s RegisterStep) error {
	i := r.at(s.Line)
	switch {
	case r.Ended.IsZero():
		return fault.New(fault.Conflict, "register %s: note first when the protocol system was back", r.ID)
	case i < 0:
		return fault.New(fault.NotFound, "register %s: it has no line %d", r.ID, s.Line)
	case s.Official == "" || s.Time.IsZero():
		return fault.New(fault.Invalid, "register %s: line %d: give the official number and its date, as the protocol system gave them", r.ID, s.Line)
	case r.Lines[i].Official.Number != "":
		return fault.New(fault.Conflict, "register %s: line %d has the official number %s already", r.ID, s.Line, r.Lines[i].Official.Number)
	}
	for _, l := range r.Lines {
		if l.Official.Number == s.Official && l.Official.Date.Equal(s.Time) {
			return fault.New(fault.Conflict, "register %s: line %d: the number %s is of line %d already", r.ID, s.Line, s.Official, l.Number)
		}
	}
	r.Lines[i].Official = Official{Number: s.Official, Date: s.Time, ByHand: s.ByHand, By: s.By}
	return nil
}

// Open are the lines without an official number.
func (r *Register) Open() []RegisterLine {
	var out []RegisterLine
	for _, l := range r.Lines {
		if l.Official.Number == "" {
			out = append(out, l)
		}
	}
	return out
}

func (r *Register) close(s RegisterStep) error {
	if r.Ended.IsZero() {
		return fault.New(fault.Conflict, "register %s: note first when the protocol system was back", r.ID)
	}
	if open := r.Open(); len(open) > 0 {
		return fault.New(fault.Conflict, "register %s: %d lines have no official number yet, the first is %d", r.ID, len(open), open[0].Number)
	}
	r.Closed = s.At
	return nil
}
