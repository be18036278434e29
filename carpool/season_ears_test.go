package carpool_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/outbox"
)

// voice says whether only a voice reaches somebody, or their guardian.
func (s *season) voice(m carpool.MemberID) bool {
	if slices.Contains(s.minors, m) {
		return true
	}
	i := slices.Index(s.residents, m)
	return i >= 0 && i%5 < 3
}

// deskOpen says whether the sportello makes and takes calls.
func deskOpen(at time.Time) bool { h := at.In(rome).Hour(); return h >= 8 && h <= 18 }

// deliver is what the channels do with a notice: it is heard at once, or the
// desk gets a call to make.
func (s *season) deliver(ctx context.Context, m outbox.Message) error {
	var n carpool.Notice
	if err := json.Unmarshal(m.Body, &n); err != nil {
		return err
	}
	w := wordOf(n.ID, s.time(), n.Member, string(n.Kind), n.With)
	if s.voice(n.Member) {
		w.Member = "" // nobody, yet
		if err := s.portal.Desk.Add(ctx, carpool.Call{Key: "notice:" + n.ID, Member: n.Member, Kind: string(n.Kind), With: n.With, Notice: n.ID, Due: n.Due}); err != nil {
			return err
		}
	}
	return s.hear(w)
}

func wordOf(key string, at time.Time, m carpool.MemberID, kind string, with map[string]string) word {
	w := word{Key: key, At: at, Member: m, Kind: kind, Request: carpool.RequestID(with[carpool.WithRequest]),
		Booking: carpool.BookingID(with[carpool.WithBooking]), Listed: with[carpool.WithListed]}
	if t, err := time.Parse(time.RFC3339, with[carpool.WithDepart]); err == nil {
		w.Bus = t
	}
	return w
}

// hear writes down what reached somebody.
func (s *season) hear(w word) error {
	line, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.heard, "%s\n", line); err != nil {
		return err
	}
	s.reached(w)
	return nil
}

func (s *season) reached(w word) {
	if !strings.HasPrefix(w.Key, "call:") {
		s.ears[w.Key]++
	}
	if w.Member != "" {
		s.words[w.Member] = append(s.words[w.Member], w)
	}
}

// remember reads what was heard before; a line that a kill cut off was not.
func (s *season) remember() {
	for before := bufio.NewScanner(s.heard); before.Scan(); {
		var w word
		if json.Unmarshal(before.Bytes(), &w) == nil {
			s.reached(w)
		}
	}
}

// heardOf says whether somebody heard of a booking.
func (s *season) heardOf(m carpool.MemberID, id carpool.BookingID) bool {
	return slices.ContainsFunc(s.words[m], func(w word) bool { return w.Booking == id })
}

// calls are made by the sportello while it is open. Whom it finds a way for it
// gives a number of the union's list.
func (s *season) calls(at time.Time) {
	if !deskOpen(at) {
		return
	}
	ctx := s.t.Context()
	list, err := s.portal.Desk.Calls(ctx, sportello)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range list {
		if c.Next.After(at) {
			continue
		}
		if _, err := s.portal.Desk.Take(ctx, sportello, c.ID); err != nil {
			s.check("take a call", err)
			continue
		}
		outcome := carpool.CallReached
		if chance(s.seed, "voice", c.Kind, slices.Index(s.residents, c.Member), at.Unix()) < 0.1 {
			outcome = carpool.CallNoAnswer
		} else {
			w := wordOf("call:"+c.ID, at, c.Member, c.Kind, c.With)
			if strings.HasPrefix(c.Kind, "way.desk") && w.Listed == "" {
				w.Listed = "the desk's"
			}
			if err := s.hear(w); err != nil {
				s.t.Fatal(err)
			}
		}
		s.check("call", s.portal.Desk.Outcome(ctx, sportello, c.ID, outcome, ""))
	}
}
