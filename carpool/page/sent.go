package page

import (
	"crypto/rand"
	"sync"
	"time"
)

// newNonce names one filling-in of a form.
func newNonce() string { return rand.Text() }

const (
	sentKept = 2 * time.Hour
	sentMost = 20_000
)

// sentForms remembers where forms that were sent led to, so that one sent
// twice by an impatient finger does its work once. What must hold over a
// restart (offers, requests, bookings) the portal keeps itself by the same
// nonce.
type sentForms struct {
	mu    sync.Mutex
	forms map[string]*sentForm
}

type sentForm struct {
	at   time.Time
	done chan struct{} // closed when to and err stand
	to   string
	err  error
}

func newSentForms() *sentForms { return &sentForms{forms: map[string]*sentForm{}} }

// do runs f once for a key; whoever comes with the same key again waits for
// the first and is led to the same page. What failed may be tried again.
func (s *sentForms) do(key string, now time.Time, f func() (string, error)) (string, error) {
	s.mu.Lock()
	if one, ok := s.forms[key]; ok {
		s.mu.Unlock()
		<-one.done
		if one.err == nil {
			return one.to, nil
		}
		return "", one.err
	}
	s.sweep(now)
	one := &sentForm{at: now, done: make(chan struct{})}
	s.forms[key] = one
	s.mu.Unlock()

	finished := false
	defer func() {
		if !finished || one.err != nil {
			s.mu.Lock()
			delete(s.forms, key)
			s.mu.Unlock()
		}
		close(one.done)
	}()
	one.to, one.err = f()
	finished = true
	return one.to, one.err
}

// sweep forgets what is old, and all where that is not enough.
func (s *sentForms) sweep(now time.Time) {
	if len(s.forms) < sentMost {
		return
	}
	for key, one := range s.forms {
		if now.Sub(one.at) > sentKept {
			delete(s.forms, key)
		}
	}
	if len(s.forms) >= sentMost {
		clear(s.forms)
	}
}

// sendOnce does what a form asks once, and leads on to where that led. The forms of
// a page share a mark: what each of them does is another thing.
func (p *Pages) sendOnce(v *visit, f *filled, do func() (string, error)) (string, error) {
	return p.sent.do(v.by.Account+" "+v.r.URL.Path+" "+v.r.PostFormValue("fa")+" "+f.once, v.now, do)
}
