package carpool

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTroubleOfARoundIsToldTwice(t *testing.T) {
	var b strings.Builder
	log := slog.New(slog.NewTextHandler(&b, nil))
	broken := false
	for _, err := range []error{nil, errors.New("no disk"), errors.New("no disk"), nil, nil} {
		broken = logTrouble(log, "papers", broken, err)
	}
	if n := strings.Count(b.String(), "\n"); n != 2 || !strings.Contains(b.String(), "no disk") || broken {
		t.Errorf("%d lines, want one when it begins and one when it ends:\n%s", n, b.String())
	}
}

func TestRoundsHaveNamesAndPaces(t *testing.T) {
	p := &Portal{Bookings: &Bookings{}, Trust: &Trust{}, Privacy: &Privacy{}}
	seen := map[string]bool{}
	for _, r := range p.rounds() {
		if r.name == "" || seen[r.name] || r.every < roundEvery || r.do == nil {
			t.Errorf("round %+v", r.name)
		}
		seen[r.name] = true
	}
	if !seen["bookings"] || !seen["retention"] {
		t.Errorf("rounds: %v", seen)
	}
}
