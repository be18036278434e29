package edge

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// WriteClass is what a write is to the service that takes it, and so what may
// become of it while the service cannot be reached.
type WriteClass string

// The classes. What no rule names is refused.
const (
	// WriteCreate makes something under a name that the client chose.
	WriteCreate WriteClass = "create"
	// WriteAppend adds to what a source tells, in the order in which it tells it.
	WriteAppend WriteClass = "append"
	// WriteUpdate changes a version that the client has seen.
	WriteUpdate WriteClass = "update"
	// WriteDelete takes away a version that the client has seen.
	WriteDelete WriteClass = "delete"
	// WriteNumber gives an official number: it goes into the emergency register.
	WriteNumber WriteClass = "number"
	// WriteRefuse is money, identity, a signature, or what a moment decides.
	WriteRefuse WriteClass = "refuse"
)

// WriteRule says of which class the writes to some addresses of a service are.
type WriteRule struct {
	Methods []string // "POST", "PUT", "PATCH", "DELETE"; none: all of these
	Path    string   // as of path.Match, each * within one part; a final /** takes all below
	Class   WriteClass
	// AddKey says that the origin honours Idempotency-Key on POST, so that the
	// edge may add one where the client has none.
	AddKey bool
	// Keep is how long a write may wait; 0: DefaultKeep of its class.
	Keep time.Duration
}

// DefaultKeep is how long a write may wait.
func (c WriteClass) DefaultKeep() time.Duration {
	if c == WriteAppend {
		return 30 * 24 * time.Hour
	}
	return 7 * 24 * time.Hour
}

// WriteRules are those of a service; the first that fits counts.
type WriteRules []WriteRule

// Of is the rule for a request; false for none.
func (rs WriteRules) Of(method, target string) (WriteRule, bool) {
	for _, r := range rs {
		if r.fits(method, target) {
			return r, true
		}
	}
	return WriteRule{}, false
}

func (r WriteRule) fits(method, target string) bool {
	ok := len(r.Methods) == 0
	for _, m := range r.Methods {
		ok = ok || m == method
	}
	if !ok {
		return false
	}
	if base, all := strings.CutSuffix(r.Path, "/**"); all {
		rest, ok := strings.CutPrefix(target, base)
		return ok && strings.HasPrefix(rest, "/") && path.Clean(target) == strings.TrimSuffix(target, "/")
	}
	fit, err := path.Match(r.Path, target)
	return err == nil && fit
}

// WriteAct is what is done with a write that cannot be sent now.
type WriteAct uint8

// The acts.
const (
	RefuseWrite   WriteAct = iota
	QueueWrite             // kept, sent later, a receipt given
	RegisterWrite          // asked to be entered by hand in the emergency register
)

// WriteWhy says why a write is refused; "" for one that is not.
type WriteWhy string

// The reasons.
const (
	WriteTaken     WriteWhy = ""
	WriteNoRule    WriteWhy = "no-rule"   // the service does not say that it may wait
	WriteNever     WriteWhy = "never"     // money, identity, a signature
	WriteNoName    WriteWhy = "no-name"   // a create without a name of its own
	WriteNoVersion WriteWhy = "no-etag"   // a change of a version that nobody names
	WriteNoSource  WriteWhy = "no-source" // a line of an unknown source
	WriteRegister  WriteWhy = "register"  // a number is given by the service alone
)

// WriteDecision is what is to be done with a write, and on what grounds.
type WriteDecision struct {
	Act   WriteAct
	Why   WriteWhy
	Class WriteClass
	// Resource is what writes are kept in order for.
	Resource string
	// Set are fields that are added to the request when it is sent, so that it is
	// done once however often it is sent.
	Set  http.Header
	Keep time.Duration
}

// SourceField names who tells the lines of WriteAppend.
const SourceField = "Crinale-Source"

// DecideWrite says what becomes of a write that cannot be sent. seen is the ETag
// of what this edge gave last of the address, "" for none; key is a name nobody
// else has, for Idempotency-Key. It is pure.
//
// A write is queued only where doing it twice, or later, or after somebody
// else's, cannot do harm unseen: by a precondition (RFC 9110 §13) or an
// idempotency key. All else is refused at once, in the moment in which the
// person can still choose another way.
func (rs WriteRules) DecideWrite(method, target string, h http.Header, seen, key string) WriteDecision {
	r, ok := rs.Of(method, target)
	if !ok {
		return WriteDecision{Why: WriteNoRule}
	}
	d := WriteDecision{Class: r.Class, Resource: target, Keep: r.Keep, Set: http.Header{}}
	if d.Keep == 0 {
		d.Keep = r.Class.DefaultKeep()
	}
	queue := func(name, value string) WriteDecision {
		d.Act = QueueWrite
		if name != "" {
			d.Set.Set(name, value)
		}
		return d
	}
	refuse := func(why WriteWhy) WriteDecision { return WriteDecision{Class: r.Class, Why: why} }
	switch r.Class {
	case WriteCreate:
		switch {
		case method == http.MethodPut && onlyStar(h["If-None-Match"]):
			return queue("", "")
		case method == http.MethodPut && len(h["If-None-Match"]) == 0 && len(h["If-Match"]) == 0:
			return queue("If-None-Match", "*")
		case method == http.MethodPost && len(h["Idempotency-Key"]) == 1 && h["Idempotency-Key"][0] != "":
			d.Resource += "#" + h["Idempotency-Key"][0] // each is a thing of its own
			return queue("", "")
		case method == http.MethodPost && r.AddKey && key != "" && len(h["Idempotency-Key"]) == 0:
			d.Resource += "#" + key
			return queue("Idempotency-Key", `"`+key+`"`)
		}
		return refuse(WriteNoName)
	case WriteUpdate, WriteDelete:
		if (r.Class == WriteDelete) != (method == http.MethodDelete) {
			return refuse(WriteNoRule)
		}
		switch m := h["If-Match"]; {
		case len(m) == 1 && strongTag(m[0]):
			return queue("", "")
		case len(m) == 0 && strongTag(seen):
			return queue("If-Match", seen)
		}
		return refuse(WriteNoVersion)
	case WriteAppend:
		source := h.Get(SourceField)
		if !token(source) || method != http.MethodPost || key == "" && len(h["Idempotency-Key"]) == 0 {
			return refuse(WriteNoSource)
		}
		d.Resource = target + "#" + source
		if len(h["Idempotency-Key"]) == 0 {
			return queue("Idempotency-Key", `"`+key+`"`)
		}
		return queue("", "")
	case WriteNumber:
		return WriteDecision{Act: RegisterWrite, Why: WriteRegister, Class: r.Class}
	}
	return refuse(WriteNever)
}

func onlyStar(lines []string) bool { return len(lines) == 1 && trim(lines[0]) == "*" }

// strongTag says that a text is one strong entity tag (RFC 9110 §8.8.3).
func strongTag(s string) bool {
	s = trim(s)
	return len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.ContainsAny(s[1:len(s)-1], "\" \x00") && s != `"*"`
}
