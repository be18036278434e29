package edge

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Class is what kind of change a write is, and so what may be done with it while
// the link is down.
type Class string

const (
	ClassCreate Class = "create" // something new, whose name the client made
	ClassAppend Class = "append" // an event of a source that counts its own
	ClassUpdate Class = "update" // a new version of what the client has seen
	ClassDelete Class = "delete" // what the client has seen goes
	ClassNumber Class = "number" // an official number: the emergency register
	ClassRefuse Class = "refuse" // money, identity, signature, what cannot wait
)

// WriteAct is what an edge does about a write while the link is down.
type WriteAct uint8

const (
	RefuseWrite   WriteAct = iota // answer no, at once
	QueueWrite                    // keep it, give a receipt, send it later
	RegisterWrite                 // a line of the emergency register, by hand
)

func (a WriteAct) String() string { return [...]string{"refuse", "queue", "register"}[min(a, 2)] }

// Person is on whose behalf a write is sent later. It is no credential: whoever
// holds it can prove nothing.
type Person struct {
	ID     string   `json:"id"`
	Groups []string `json:"groups,omitempty"`
}

// WriteRequest is what a decision needs of a write.
type WriteRequest struct {
	Method string
	Path   string // escaped, as it came, without the query
	Header http.Header
	Length int64 // bytes of the body
	Person Person
	// Seen is the ETag of what this edge gave to this person of this resource;
	// "" when it gave nothing. It stands in for an If-Match that is not there.
	Seen string
	// NewKey is an Idempotency-Key that was made for this request alone, for where
	// the rule says that the origin honours it and the client brought none.
	NewKey string
	// Sealed says that the comune has a key by which what is secret is kept.
	Sealed bool
}

// WriteDecision is what to do about a write, and how it is sent later.
type WriteDecision struct {
	Act    WriteAct
	Reason Reason
	Rule   string // name of the rule; "" when none names the request
	Class  Class
	// With these it is sent: at most one condition, and a key as it stands in the
	// field.
	IfMatch     string
	IfNoneMatch string
	Key         string
	// Order is what writes must follow each other in: the source of events, else
	// the path.
	Order    string
	Source   string // of an event
	Sequence uint64 // of an event, in its source
	// Once names the write among those of the person: the same again is the same
	// write. "" where it has no name.
	Once        string
	Credentials bool // Authorization and Cookie are kept too, sealed
	SeeOther    bool // 303 says that it was done
	Expires     time.Duration
}

// ReplayHeader are the fields of a request that are kept with it: what tells how
// the body is made. Conditions and keys are those of the decision; credentials
// are not among them.
func ReplayHeader(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Accept", "Accept-Language", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Prefer", "Soapaction"} {
		if lines := h[name]; len(lines) > 0 {
			out[name] = slices.Clone(lines)
		}
	}
	return out
}

// uuid is the text form of RFC 9562 §4.
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// mostSource is the longest name of a source of events.
const mostSource = 200

// DecideWrite says what to do about a write that cannot be sent now. A rule that
// is nil names nothing: what no rule names is refused, as an origin that does
// not look at preconditions would do it twice.
func DecideWrite(rule *WriteRule, q WriteRequest) WriteDecision {
	if rule == nil {
		return WriteDecision{Reason: ReasonNoRule}
	}
	d := WriteDecision{
		Rule: rule.Name, Class: rule.Class, Order: q.Path,
		Credentials: rule.Credentials, SeeOther: rule.SeeOther, Expires: rule.Expires,
	}
	refuse := func(why Reason) WriteDecision {
		return WriteDecision{Reason: why, Rule: rule.Name, Class: rule.Class}
	}
	switch rule.Class {
	case ClassRefuse:
		return refuse(rule.Why)
	case ClassNumber:
		return WriteDecision{Act: RegisterWrite, Reason: ReasonRegister, Rule: rule.Name, Class: rule.Class}
	}
	switch {
	case q.Person.ID == "" && !rule.Anonymous:
		return refuse(ReasonPerson)
	case len(rule.Groups) > 0 && !slices.ContainsFunc(rule.Groups, func(g string) bool { return slices.Contains(q.Person.Groups, g) }):
		return refuse(ReasonGroup)
	case rule.Credentials && !q.Sealed:
		return refuse(ReasonNoSeal)
	case q.Length > rule.MaxBody:
		return refuse(ReasonBody)
	case len(q.Header["Content-Range"]) > 0: // a part of a PUT (RFC 9110 §14.5)
		return refuse(ReasonPart)
	}
	var why Reason
	switch rule.Class {
	case ClassCreate:
		why = d.create(rule, q)
	case ClassUpdate, ClassDelete:
		why = d.change(q)
	case ClassAppend:
		why = d.append(rule, q)
	default:
		why = ReasonNoRule
	}
	if why != ReasonQueued {
		return refuse(why)
	}
	d.Act, d.Reason = QueueWrite, ReasonQueued
	return d
}

// create wants a name that the client made: a UUID in the path that nothing has
// yet (RFC 9110 §13.1.2), or a key by which the origin knows the request again.
func (d *WriteDecision) create(rule *WriteRule, q WriteRequest) Reason {
	if len(q.Header["If-Match"]) > 0 {
		return ReasonCondition
	}
	switch q.Method {
	case http.MethodPut:
		vars, _ := rule.match(q.Path)
		if !uuid.MatchString(vars["id"]) {
			return ReasonID
		}
		if one(q.Header, "If-None-Match") != "*" || len(q.Header["If-None-Match"]) != 1 {
			return ReasonNoneMatch
		}
		d.IfNoneMatch, d.Once = "*", "put "+q.Path
		return ReasonQueued
	case http.MethodPost:
		return d.keyed(rule, q, q.NewKey)
	}
	return ReasonMethod
}

// keyed takes the Idempotency-Key of the client, or the one that the edge makes
// where the rule says that the origin honours it.
func (d *WriteDecision) keyed(rule *WriteRule, q WriteRequest, made string) Reason {
	lines := q.Header["Idempotency-Key"]
	switch {
	case len(lines) == 1:
		if !idempotencyKey(trim(lines[0])) {
			return ReasonBadKey
		}
		d.Key = trim(lines[0])
		d.Once = "key " + q.Path + " " + d.Key
	case len(lines) > 1:
		return ReasonBadKey
	case !rule.Idempotent || made == "":
		return ReasonKey
	default:
		d.Key = `"` + made + `"`
	}
	if !rule.Idempotent { // a key that nobody reads protects nobody
		return ReasonUnsupported
	}
	return ReasonQueued
}

// idempotencyKey says whether s is the value of an Idempotency-Key: a string as
// draft-ietf-httpapi-idempotency-key-header §2.1 has it, or the bare token that
// many clients send.
func idempotencyKey(s string) bool {
	if len(s) > 257 {
		return false
	}
	if token(s) {
		return len(s) >= 8
	}
	if len(s) < 10 || s[0] != '"' {
		return false
	}
	text, rest, ok := unquote(s)
	if !ok || rest != "" || len(text) < 8 {
		return false
	}
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// change wants the version that the client saw, told by a strong ETag (RFC 9110
// §13.1.1).
func (d *WriteDecision) change(q WriteRequest) Reason {
	if d.Class == ClassDelete && q.Method != http.MethodDelete || d.Class == ClassUpdate && q.Method != http.MethodPut && q.Method != http.MethodPatch {
		return ReasonMethod
	}
	if len(q.Header["If-None-Match"]) > 0 {
		return ReasonCondition
	}
	tag := q.Seen
	if lines := q.Header["If-Match"]; len(lines) > 0 {
		all := entityTags(lines)
		if len(all) != 1 {
			return ReasonMatch
		}
		tag = all[0]
	}
	if tag == "" || tag == "*" {
		return ReasonMatch
	}
	switch _, weak, ok := etag(tag); {
	case !ok:
		return ReasonMatch
	case weak:
		return ReasonWeak
	}
	d.IfMatch = tag
	return ReasonQueued
}

// append wants to know whose event it is and which one. Its key is made of both,
// so that the same event has the same key for ever.
func (d *WriteDecision) append(rule *WriteRule, q WriteRequest) Reason {
	if q.Method != http.MethodPost && q.Method != http.MethodPut {
		return ReasonMethod
	}
	d.Source = one(q.Header, rule.Source)
	if d.Source == "" || len(d.Source) > mostSource || !printable(d.Source) {
		return ReasonSource
	}
	n, err := strconv.ParseUint(one(q.Header, rule.Sequence), 10, 63)
	if err != nil || n == 0 {
		return ReasonSequence
	}
	d.Sequence = n
	d.Order = "source " + d.Source
	d.Once = "event " + d.Source + " " + strconv.FormatUint(n, 10)
	d.Key = sfQuoted(d.Source + "/" + strconv.FormatUint(n, 10))
	if len(q.Header["Idempotency-Key"]) > 0 {
		return d.ownKey(q)
	}
	return ReasonQueued
}

// ownKey takes the key that came with an event in place of the one made of it.
func (d *WriteDecision) ownKey(q WriteRequest) Reason {
	if lines := q.Header["Idempotency-Key"]; len(lines) != 1 || !idempotencyKey(trim(lines[0])) {
		return ReasonBadKey
	}
	d.Key = one(q.Header, "Idempotency-Key")
	return ReasonQueued
}

// sfQuoted is a string of RFC 9651 §3.3.3; s is printable.
func sfQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
