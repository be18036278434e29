package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
)

// How often a PIN may be wrong.
const (
	shutAfter   = 5
	forgetAfter = 10
	shutFor     = 15 * time.Minute
)

// session is somebody who is in.
type session struct {
	person, device string
	began, last    time.Time
}

// newCode makes a code for somebody: twelve letters and digits of RFC 4648's
// base32, in groups of four.
func (b *Book) newCode(p *Person) string {
	text := rand.Text()[:12]
	p.Code, p.CodeUntil = hash(text), b.cfg.Now().Add(b.cfg.Code).UTC()
	return text[:4] + "-" + text[4:8] + "-" + text[8:]
}

// plainCode is a code as somebody typed it: small letters, spaces, and what looks
// like a digit that base32 does not have.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		case r == '-', r == ' ', r == '\t':
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func pinHash(secret, pin string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("crinale pin 1\n" + pin))
	return hex.EncodeToString(m.Sum(nil))
}

func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// CheckPIN says whether a PIN may be chosen.
func CheckPIN(pin string) error {
	if len(pin) < 6 || len(pin) > 12 || strings.ContainsFunc(pin, func(r rune) bool { return r < '0' || r > '9' }) {
		return edge.ErrWeak
	}
	step := int(pin[1]) - int(pin[0])
	for i := 2; i < len(pin); i++ {
		if int(pin[i])-int(pin[i-1]) != step {
			return nil
		}
	}
	if step >= -1 && step <= 1 {
		return edge.ErrWeak
	}
	return nil
}

func newID(s *state) string {
	for {
		id := strings.ToLower(rand.Text()[:8])
		if !slices.ContainsFunc(s.People, func(p Person) bool { return p.ID == id }) {
			return id
		}
	}
}

// Enrol lets somebody in by their code, and gives what their device keeps and what
// begins.
func (b *Book) Enrol(code, pin string) (device string, in edge.Entry, err error) {
	if err := CheckPIN(pin); err != nil {
		return "", in, err
	}
	want, now := hash(plainCode(code)), b.cfg.Now()
	id, secret, author := strings.ToLower(rand.Text()[:10]), rand.Text()+rand.Text(), rand.Text()+rand.Text()
	b.mu.Lock()
	defer b.mu.Unlock()
	var who string
	err = b.changeLocked(func(s *state) (Event, error) {
		for i := range s.People {
			p := &s.People[i]
			if p.Code == "" || !same(p.Code, want) || now.After(p.CodeUntil) {
				continue
			}
			who = p.ID
			p.Code, p.CodeUntil = "", time.Time{}
			if len(p.Devices) >= mostDevices {
				slices.SortFunc(p.Devices, func(a, b Device) int { return b.Last.Compare(a.Last) })
				p.Devices = p.Devices[:mostDevices-1]
			}
			p.Devices = append(p.Devices, Device{ID: id, Secret: hash(secret), PIN: pinHash(secret, pin), Author: hash(author), Since: now.UTC(), Last: now.UTC()})
			return Event{What: "entered from a new device", Person: who, Device: id}, nil
		}
		return Event{}, edge.ErrCode
	}, false)
	if err != nil {
		return "", in, err
	}
	return id + "." + secret, edge.Entry{Session: b.begin(who, id), Author: author}, nil
}

// find is the device of a token; nil for one that is not known.
func (s *state) find(token string) (*Person, *Device) {
	id, secret, _ := strings.Cut(token, ".")
	secret = hash(secret)
	for i := range s.People {
		p := &s.People[i]
		for j := range p.Devices {
			if d := &p.Devices[j]; d.ID == id && same(d.Secret, secret) {
				return p, d
			}
		}
	}
	return nil, nil
}

// Known is whose device a token is; false for one that is not known.
func (b *Book) Known(token string) (edge.Employee, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, d := b.state.find(token)
	if p == nil || b.cfg.Now().Sub(d.Last) > b.cfg.Unused {
		return edge.Employee{}, false
	}
	return p.employee(), true
}

// Enter lets somebody in from their device by their PIN. A wrong one is counted
// on the disk before it is answered.
func (b *Book) Enter(token, pin string) (in edge.Entry, err error) {
	_, secret, _ := strings.Cut(token, ".")
	now, author := b.cfg.Now(), rand.Text()+rand.Text()
	b.mu.Lock()
	defer b.mu.Unlock()
	var who, device string
	var refused error
	err = b.changeLocked(func(s *state) (Event, error) {
		p, d := s.find(token)
		if p == nil || now.Sub(d.Last) > b.cfg.Unused {
			return Event{}, edge.ErrDevice
		}
		who, device = p.ID, d.ID
		if now.Before(d.Shut) && d.Shut.Sub(now) <= shutFor {
			return Event{}, edge.ErrShut
		}
		if same(d.PIN, pinHash(secret, pin)) {
			d.Wrong, d.Shut, d.Last, d.Author = 0, time.Time{}, now.UTC(), hash(author)
			return Event{}, nil
		}
		refused = edge.ErrPIN
		d.Wrong++
		switch {
		case d.Wrong >= forgetAfter:
			p.Devices = slices.DeleteFunc(p.Devices, func(o Device) bool { return o.ID == device })
			refused = edge.ErrDevice
			return Event{What: "device forgotten after wrong PINs", Person: who, Device: device}, nil
		case d.Wrong >= shutAfter:
			d.Shut, refused = now.Add(shutFor).UTC(), edge.ErrShut
			return Event{What: "device shut after wrong PINs", Person: who, Device: device}, nil
		}
		return Event{}, nil
	}, true)
	if err = errors.Join(err, refused); err != nil {
		return in, err
	}
	return edge.Entry{Session: b.begin(who, device), Author: author}, nil
}

// Author is who sends something, by what their browser shows to all services. It
// is good for as long as a session may last, also over a restart, and for
// nothing else.
func (b *Book) Author(token string) (edge.Person, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, want := b.cfg.Now(), hash(token)
	for _, p := range b.state.People {
		for _, d := range p.Devices {
			if since := now.Sub(d.Last); d.Author != "" && same(d.Author, want) && since >= 0 && since <= b.cfg.Most {
				return edge.Person{ID: p.ID, Groups: slices.Clone(p.Groups)}, true
			}
		}
	}
	return edge.Person{}, false
}

// begin starts a session.
func (b *Book) begin(person, device string) string {
	now := b.cfg.Now()
	for k, s := range b.sessions {
		if b.over(s, now) || s.device == device {
			delete(b.sessions, k)
		}
	}
	token := rand.Text() + rand.Text()
	b.sessions[sha256.Sum256([]byte(token))] = &session{person, device, now, now}
	return token
}

func (b *Book) over(s *session, now time.Time) bool {
	return now.Sub(s.last) > b.cfg.Idle || now.Sub(s.began) > b.cfg.Most || now.Before(s.began)
}

// Who is in by a session, from the device it began on.
func (b *Book) Who(in string, devices []string) (edge.Employee, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := sha256.Sum256([]byte(in))
	s := b.sessions[key]
	if s == nil {
		return edge.Employee{}, false
	}
	now := b.cfg.Now()
	if b.over(s, now) {
		delete(b.sessions, key)
		return edge.Employee{}, false
	}
	for _, token := range devices {
		if p, d := b.state.find(token); p != nil && p.ID == s.person && d.ID == s.device {
			s.last = now
			return p.employee(), true
		}
	}
	return edge.Employee{}, false
}

// Leave ends a session, and with it what names the author of writes.
func (b *Book) Leave(in string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := sha256.Sum256([]byte(in))
	over := b.sessions[key]
	if over == nil {
		return
	}
	delete(b.sessions, key)
	_ = b.changeLocked(func(s *state) (Event, error) {
		for _, p := range s.People {
			for i := range p.Devices {
				if p.Devices[i].ID == over.device {
					p.Devices[i].Author = ""
				}
			}
		}
		return Event{}, nil
	}, true)
}

// Allowed says whether a person may still do what needs one of some groups; none
// is any. It is asked again when something of theirs is sent later.
func (b *Book) Allowed(id string, groups []string) (bool, string) {
	p, ok := b.Person(id)
	switch {
	case !ok:
		return false, "this person is not in the book any more"
	case len(groups) > 0 && !slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.Groups, g) }):
		return false, fmt.Sprintf("%s is in none of the groups that may do this any more", id)
	}
	return true, ""
}
