package edge

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/strict"
)

// WriteRule names writes of a service, and what they are. Whoever writes a rule
// of class create, update or delete says with it that the origin looks at
// If-None-Match and If-Match, and of class append that it knows an event again.
type WriteRule struct {
	strict.At
	Name    string   `yaml:"name,required"`
	Methods []string `yaml:"methods,required"`
	// Path is a pattern of whole segments: "{id}" is any one, and "{rest...}" at
	// the end all that follow. A create by PUT has its id in "{id}".
	Path  string `yaml:"path,required"`
	Class Class  `yaml:"class,required"`
	// Why says of a refusal what it is for: money, identity, signature, time or
	// unsupported.
	Why Reason `yaml:"why"`
	// Idempotent says that the origin honours Idempotency-Key, so that the edge
	// may add one.
	Idempotent bool `yaml:"idempotent"`
	// Source and Sequence are the request fields that say whose event it is and
	// its place.
	Source   string `yaml:"source"`
	Sequence string `yaml:"sequence"`
	// Anonymous lets a write be kept of which nobody is known to be the author.
	Anonymous bool `yaml:"anonymous"`
	// Groups are those of whom one is needed for it, now and when it is sent; none
	// is anybody who is known.
	Groups []string `yaml:"groups"`
	// Credentials keeps Authorization and Cookie with the write, sealed.
	Credentials bool `yaml:"credentials"`
	// SeeOther says that the origin answers 303 to what it has done.
	SeeOther bool          `yaml:"see_other"`
	MaxBody  int64         `yaml:"max_body_bytes"` // 0: that of the class
	Expires  time.Duration `yaml:"expires"`        // 0: that of the class

	segments []segment
}

// segment is one of a pattern: a name, or what has one.
type segment struct {
	text string
	any  bool
	rest bool
}

// limits are those of a class where the rule says nothing. A delete expires soon,
// as nobody remembers what was to go; events are small and wait long.
var limits = map[Class]struct {
	body    int64
	expires time.Duration
}{
	ClassCreate: {16 << 20, 30 * 24 * time.Hour},
	ClassAppend: {256 << 10, 90 * 24 * time.Hour},
	ClassUpdate: {64 << 20, 30 * 24 * time.Hour},
	ClassDelete: {64 << 10, 7 * 24 * time.Hour},
}

// MostBody is the greatest body that a rule can let in: it is sealed in memory.
const MostBody = 256 << 20

// whys are what a rule can say about a refusal.
var whys = []Reason{ReasonMoney, ReasonIdentity, ReasonSignature, ReasonTime, ReasonUnsupported}

// WriteRules are those of a service, in the order written.
type WriteRules []WriteRule

// ParseWriteRules reads rules:
//
//	writes:
//	  - name: segnalazioni
//	    methods: [PUT]
//	    path: /segnalazioni/{id}
//	    class: create
//
// The error tells all that is wrong, with file, line, field and the mend.
func ParseWriteRules(file string, data []byte) (WriteRules, error) {
	var doc struct {
		Writes []WriteRule `yaml:"writes"`
	}
	var list strict.List
	list.Join(file, strict.Decode(file, data, &doc))
	checkWrites(&list, doc.Writes)
	if err := list.Err(); err != nil {
		return nil, err
	}
	return doc.Writes, nil
}

// checkWrites fills in what the classes say and notes what is wrong.
func checkWrites(list *strict.List, rules []WriteRule) {
	names := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		r.check(list)
		if names[r.Name] && r.Name != "" {
			list.Add(r.Problem("name", "%q is there twice: give each rule its own name", r.Name))
		}
		names[r.Name] = true
	}
}

// check fills in what the class says and notes what is wrong.
func (r *WriteRule) check(list *strict.List) {
	var bad string
	if r.segments, bad = pattern(r.Path); bad != "" && r.Path != "" {
		list.Add(r.Problem("path", "%q: %s", r.Path, bad))
	}
	classes := []Class{ClassCreate, ClassAppend, ClassUpdate, ClassDelete, ClassNumber, ClassRefuse}
	if r.Class != "" && !slices.Contains(classes, r.Class) {
		list.Add(r.Problem("class", "%q is no class: use create, append, update, delete, number or refuse", string(r.Class)))
	}
	allowed := map[Class][]string{
		ClassCreate: {http.MethodPut, http.MethodPost}, ClassAppend: {http.MethodPut, http.MethodPost},
		ClassUpdate: {http.MethodPut, http.MethodPatch}, ClassDelete: {http.MethodDelete},
	}[r.Class]
	for _, m := range r.Methods {
		switch {
		case !token(m) || m != strings.ToUpper(m):
			list.Add(r.Problem("methods", "%q is no method: write it as PUT or POST", m))
		case safeMethod(m):
			list.Add(r.Problem("methods", "%s changes nothing: leave it out", m))
		case allowed != nil && !slices.Contains(allowed, m):
			list.Add(r.Problem("methods", "%s cannot be a %s that is safe to send later: use %s", m, r.Class, strings.Join(allowed, " or ")))
		}
	}
	if len(r.Methods) == 0 {
		list.Add(r.Problem("methods", "name at least one"))
	}
	if r.Anonymous && len(r.Groups) > 0 {
		list.Add(r.Problem("groups", "nobody knows the groups of somebody unknown: leave out anonymous, or groups"))
	}
	checkGroups(list, r.At, "groups", r.Groups)
	r.checkClass(list)
}

func (r *WriteRule) checkClass(list *strict.List) {
	switch r.Class {
	case ClassRefuse:
		if r.Why == "" {
			r.Why = ReasonUnsupported
		}
		if !slices.Contains(whys, r.Why) {
			list.Add(r.Problem("why", "%q is no reason: use money, identity, signature, time or unsupported", string(r.Why)))
		}
	case ClassCreate:
		if slices.Contains(r.Methods, http.MethodPut) && !slices.Contains(r.segments, segment{text: "id", any: true}) {
			list.Add(r.Problem("path", "a create by PUT needs {id} in its path, where the client's UUID stands"))
		}
		if slices.Contains(r.Methods, http.MethodPost) && !r.Idempotent {
			list.Add(r.Problem("idempotent", "a create by POST needs an origin that honours Idempotency-Key: say true if it does, or use class refuse"))
		}
	case ClassAppend:
		r.Source, r.Sequence = named(r.Source, "Crinale-Source"), named(r.Sequence, "Crinale-Sequence")
		if !token(r.Source) {
			list.Add(r.Problem("source", "%q is no name of a request field", r.Source))
		}
		if !token(r.Sequence) || r.Sequence == r.Source {
			list.Add(r.Problem("sequence", "%q is no name of a request field of its own", r.Sequence))
		}
	}
	if r.Class != ClassRefuse && r.Why != "" {
		list.Add(r.Problem("why", "only a rule of class refuse says why"))
	}
	l := limits[r.Class]
	if r.MaxBody == 0 {
		r.MaxBody = l.body
	}
	if r.Expires == 0 {
		r.Expires = l.expires
	}
	if r.MaxBody < 0 || r.MaxBody > MostBody {
		list.Add(r.Problem("max_body_bytes", "%d: use 1 to %d", r.MaxBody, MostBody))
	}
	if r.Expires < 0 || r.Expires > 366*24*time.Hour {
		list.Add(r.Problem("expires", "%v: use a time up to a year", r.Expires))
	}
}

func named(field, otherwise string) string {
	if field == "" {
		return otherwise
	}
	return http.CanonicalHeaderKey(field)
}

func safeMethod(m string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect}, m)
}

// Find is the rule that names a write; nil for none. One that refuses counts
// before all others, so that no wide rule lets through what must not wait.
func (rs WriteRules) Find(method, path string) *WriteRule {
	var found *WriteRule
	for i := range rs {
		r := &rs[i]
		if _, ok := r.match(path); !ok || !slices.Contains(r.Methods, method) {
			continue
		}
		if r.Class == ClassRefuse {
			return r
		}
		if found == nil {
			found = r
		}
	}
	return found
}

// match holds an escaped path against the pattern, and gives what stands for the
// names in it. A path that could be read in two ways matches nothing.
func (r *WriteRule) match(path string) (vars map[string]string, ok bool) {
	parts, ok := split(path)
	if !ok {
		return nil, false
	}
	vars = map[string]string{}
	for i, s := range r.segments {
		switch {
		case s.rest:
			if i >= len(parts) {
				return nil, false
			}
			vars[s.text] = strings.Join(parts[i:], "/")
			return vars, true
		case i >= len(parts):
			return nil, false
		case s.any:
			vars[s.text] = parts[i]
		case s.text != parts[i]:
			return nil, false
		}
	}
	return vars, len(parts) == len(r.segments)
}

// split is a path in its segments, unescaped.
func split(path string) ([]string, bool) {
	if !strings.HasPrefix(path, "/") {
		return nil, false
	}
	parts := strings.Split(path[1:], "/")
	for i, p := range parts {
		u, err := url.PathUnescape(p)
		if err != nil || u == "" || u == "." || u == ".." || strings.ContainsAny(u, "/\\;\x00") {
			return nil, false
		}
		parts[i] = u
	}
	return parts, true
}

// pattern reads the path of a rule; bad says how to mend it.
func pattern(path string) (out []segment, bad string) {
	parts, ok := split(path)
	if !ok {
		return nil, "write whole segments from the first slash on, such as /segnalazioni/{id}"
	}
	names := map[string]bool{}
	for i, p := range parts {
		s := segment{text: p}
		if strings.ContainsAny(p, "{}") {
			name, closed := strings.CutSuffix(strings.TrimPrefix(p, "{"), "}")
			name, s.rest = strings.CutSuffix(name, "...")
			s.text, s.any = name, !s.rest
			switch {
			case !closed || p[0] != '{' || !token(name):
				return nil, "a name stands alone in its segment, such as {id}"
			case names[name]:
				return nil, "{" + name + "} is there twice"
			case s.rest && i != len(parts)-1:
				return nil, "{" + name + "...} can only be the last"
			}
			names[name] = true
		}
		out = append(out, s)
	}
	return out, ""
}
