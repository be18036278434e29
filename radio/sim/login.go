package sim

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// login is the plain one of 6.43 and later, or the challenge of older devices.
func (s *session) login(cmd command, r *replier) *trap {
	s.user = ""
	name, hasName := cmd.attr("name")
	pw, hasPW := cmd.attr("password")
	resp, hasResp := cmd.attr("response")
	old := s.dev.version.before(6, 43)
	ok := false
	switch {
	case old && !hasResp:
		s.challenge = make([]byte, 16)
		rand.Read(s.challenge)
		r.done(item{{"ret", hex.EncodeToString(s.challenge)}})
		return nil
	case old:
		want, found := s.dev.passwordOf(name)
		h := md5.New()
		h.Write([]byte{0})
		h.Write([]byte(want))
		h.Write(s.challenge)
		ok = found && s.challenge != nil && equal(strings.ToLower(resp), "00"+hex.EncodeToString(h.Sum(nil)))
		s.challenge = nil
	default:
		want, found := s.dev.passwordOf(name)
		ok = hasName && hasPW && found && equal(pw, want)
	}
	if !ok {
		if old {
			return &trap{message: "cannot log in"}
		}
		return &trap{message: "invalid user name or password (6)"}
	}
	s.user = name
	s.read = s.dev.groupOf(name) == "read"
	s.deadline = time.Time{}
	s.conn.SetReadDeadline(s.deadline)
	r.done(nil)
	return nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// passwordOf a user that may log in.
func (d *device) passwordOf(user string) (string, bool) {
	if a := d.wire.Load(); a != nil && a.Kind == WrongPassword {
		return "", false
	}
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	e := d.config.table(userTable).find(user)
	if e == nil || e.disabled() || strings.HasPrefix(user, "*") {
		return "", false
	}
	return e.get(passwordProp), true
}

func (d *device) groupOf(user string) string {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	if e := d.config.table(userTable).find(user); e != nil {
		return e.get("group")
	}
	return "read"
}
