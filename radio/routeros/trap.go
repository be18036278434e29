package routeros

import (
	"errors"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// trap is a device's refusal of one command; the connection lives on.
type trap struct {
	category string   // manual: API, trap category; "" when the device gave none
	messages []string // of every !trap of the answer, cleaned
}

func (t *trap) Error() string {
	if len(t.messages) == 0 {
		return "refused without a reason"
	}
	return strings.Join(t.messages, "; ")
}

// absent says whether the menu or command does not exist on this device.
func (t *trap) absent() bool {
	for _, m := range t.messages {
		m = strings.ToLower(m)
		if strings.Contains(m, "no such command") || strings.Contains(m, "unknown command") || strings.Contains(m, "no such directory") {
			return true
		}
	}
	return false
}

// kind is the fault that a trap stands for. Categories are often missing, so
// the words come first.
func (t *trap) kind() fault.Kind {
	for _, m := range t.messages {
		m = strings.ToLower(m)
		for _, w := range [...]string{"not enough permissions", "not allowed by device-mode", "cannot log in", "invalid user name or password", "not logged in"} {
			if strings.Contains(m, w) {
				return fault.Denied
			}
		}
		if strings.Contains(m, "no such") {
			return fault.NotFound
		}
	}
	if t.category == "0" { // missing item or command
		return fault.NotFound
	}
	return fault.Refused
}

// fatal is the reason with which a device ended the session.
type fatal struct{ reason string }

func (f *fatal) Error() string {
	if f.reason == "" {
		return "the device ended the session"
	}
	return "the device ended the session: " + f.reason
}

// refusal makes an error of the guard's notes: a *fatal if there is one, else
// a *trap, else nil.
func refusal(notes []note) error {
	var t *trap
	for _, n := range notes {
		if n.kind == "!fatal" {
			var reason []string
			for _, w := range n.words {
				if m, ok := strings.CutPrefix(w, "=message="); ok {
					w = m
				}
				if !strings.HasPrefix(w, ".tag=") {
					reason = append(reason, line(w))
				}
			}
			return &fatal{strings.Join(reason, " ")}
		}
		if t == nil {
			t = &trap{}
		}
		for _, w := range n.words {
			if m, ok := strings.CutPrefix(w, "=message="); ok {
				t.messages = append(t.messages, line(m))
			} else if c, ok := strings.CutPrefix(w, "=category="); ok && t.category == "" {
				t.category = line(c)
			}
		}
	}
	if t == nil {
		return nil
	}
	return t
}

// asTrap is the trap in err's chain, nil if there is none.
func asTrap(err error) *trap {
	var t *trap
	if errors.As(err, &t) {
		return t
	}
	return nil
}

// line makes one short printable line of what a device sent.
func line(s string) string {
	s = strings.TrimSpace(text(s))
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
