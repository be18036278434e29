package edge

import (
	"net/http"
	"testing"
	"time"
)

func TestUnreachable(t *testing.T) {
	got := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	stored := func(cc string) *Stored {
		return &Stored{Status: 200, Got: got, Asked: got, Header: http.Header{"Date": {got.Format(http.TimeFormat)}, "Cache-Control": {cc}}}
	}
	week := Offline{Rule: OfflineUntil, Until: 7 * 24 * time.Hour}
	hard := week
	hard.EvenMustRevalidate = true
	never := Offline{Rule: OfflineNever}
	for _, tt := range []struct {
		name  string
		rule  Offline
		cc    string
		after time.Duration
		h     http.Header
		want  Act
	}{
		{"fresh", never, "max-age=600", time.Minute, nil, Serve},
		{"fresh, and the reader presses reload", never, "max-age=600", time.Minute, http.Header{"Cache-Control": {"no-cache"}}, Serve},
		{"stale by no rule", never, "max-age=600, stale-if-error=9999", time.Hour, nil, GiveUp},
		{"no-cache, and the reader presses reload", never, "max-age=600, no-cache", time.Minute, http.Header{"Cache-Control": {"no-cache"}}, GiveUp},
		{"stale as the origin lets it", Offline{}, "max-age=600, stale-if-error=9999", time.Hour, nil, Serve},
		{"stale for longer", Offline{}, "max-age=600, stale-if-error=60", time.Hour, nil, GiveUp},
		{"stale, and the origin says nothing", Offline{}, "max-age=600", time.Hour, nil, GiveUp},
		{"the request takes it", Offline{}, "max-age=600", time.Hour, http.Header{"Cache-Control": {"max-stale"}}, Serve},
		{"stale within the week", week, "max-age=600", 48 * time.Hour, nil, Serve},
		{"stale over the week", week, "max-age=600", 169 * time.Hour, nil, GiveUp},
		{"must-revalidate is not overruled by a week", week, "max-age=600, must-revalidate", time.Hour, nil, GiveUp},
		{"nor s-maxage", week, "s-maxage=600", time.Hour, nil, GiveUp},
		{"nor no-cache", week, "no-cache", time.Second, nil, GiveUp},
		{"but by the owner's word", hard, "max-age=600, must-revalidate", time.Hour, nil, Serve},
		{"also no-cache", hard, "no-cache", time.Hour, nil, Serve},
		{"for a week and no longer", hard, "no-cache", 169 * time.Hour, nil, GiveUp},
		{"a clock that jumped back", hard, "max-age=600", -200 * time.Hour, nil, GiveUp},
		{"somebody's own", hard, "max-age=600", time.Minute, http.Header{"Authorization": {"Basic eA=="}}, GiveUp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := DefaultRules()
			r.Offline = tt.rule
			h := tt.h
			if h == nil {
				h = http.Header{}
			}
			d := r.Unreachable(stored(tt.cc), Request{Method: "GET", Header: h}, got.Add(tt.after))
			if d.Act != tt.want {
				t.Errorf("%v, want %v: %+v", d.Act, tt.want, d)
			}
		})
	}
	r := DefaultRules()
	r.Offline = hard
	for _, q := range []Request{{Method: "POST", Header: http.Header{}}, {Method: "GET", Header: http.Header{"If-Match": {`"x"`}}}} {
		if d := r.Unreachable(stored("max-age=600"), q, got); d.Act != GiveUp {
			t.Errorf("%v: %v", q, d.Act)
		}
	}
	if d := r.Unreachable(nil, Request{Method: "GET", Header: http.Header{}}, got); d.Act != GiveUp {
		t.Errorf("nothing is stored: %v", d.Act)
	}
}
