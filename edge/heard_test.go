package edge

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

var saidAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestParseSaid(t *testing.T) {
	got, err := ParseSaid([]byte(`{"state":"narrow","since":"2026-11-23T09:00:00Z","mbps":12.5,"unknown":[],"at":"2026-11-23T10:00:00Z","later":{"x":1}}`))
	if want := (Said{SaidNarrow, 12.5, saidAt.Add(-time.Hour), saidAt}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := ParseSaid([]byte(`{"state":"down","mbps":null,"at":"2026-11-23T10:00:00Z"}`)); err != nil || got.Mbps != 0 || !got.Since.Equal(saidAt) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, b := range []string{"", "null", "{}", "[]", `{"state":"up"}`, `{"state":"sideways","at":"2026-11-23T10:00:00Z"}`, `{"state":"up","at":"yesterday"}`, `{"state":"up","at":"2026-11-23T10:00:00Z","mbps":-1}`,
		`{"state":"up","at":"2026-11-23T10:00:00Z","mbps":1e99}`, `{"state":"up","at":"2026-11-23T10:00:00Z"} x`, `{"state":"up","at":"2026-11-23T10:00:00Z","x":"` + strings.Repeat("x", MostHeard) + `"}`} {
		if got, err := ParseSaid([]byte(b)); err == nil {
			t.Errorf("%.60s: %+v", b, got)
		}
	}
}

func TestWhatWasSaidCounts(t *testing.T) {
	s := Said{State: SaidDown, At: saidAt}
	for d, counts := range map[time.Duration]bool{0: true, SaidFor: true, SaidFor + 1: false, -SaidFor: true, -SaidFor - 1: false, 24 * time.Hour: false, -24 * time.Hour: false} {
		if err := s.Counts(saidAt.Add(d)); (err == nil) != counts {
			t.Errorf("%v later: %v", d, err)
		}
	}
	// Said again without news it is no newer than our own tries; with news, or after
	// a while, or over another connection, it is.
	w := s.Word(nil, saidAt)
	again := Said{State: SaidDown, At: saidAt.Add(time.Minute)}.Word(&w, saidAt.Add(time.Minute))
	if !again.At.Equal(saidAt) || !again.Until.Equal(saidAt.Add(time.Minute+SaidFor)) {
		t.Errorf("%+v", again)
	}
	for name, got := range map[string]Word{
		"other":   Said{State: SaidUp, At: saidAt.Add(time.Minute)}.Word(&w, saidAt.Add(time.Minute)),
		"unknown": Said{State: SaidUnknown, At: saidAt.Add(time.Minute)}.Word(&w, saidAt.Add(time.Minute)),
		"new":     Said{State: SaidDown, At: saidAt.Add(time.Minute)}.Word(nil, saidAt.Add(time.Minute)),
	} {
		if !got.At.Equal(saidAt.Add(time.Minute)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if late := (Said{State: SaidDown, At: saidAt.Add(time.Hour)}).Word(&w, saidAt.Add(time.Hour)); !late.At.Equal(saidAt.Add(time.Hour)) {
		t.Errorf("after a while: %+v", late)
	}
}

// A word that is said again each minute and is wrong keeps nobody offline.
func TestRepeatedWordIsOverruledOnce(t *testing.T) {
	r := DefaultModeRules()
	stand, main := Stand{Mode: ModeOnline, Way: WayMain, Since: saidAt}, Tries{}
	var last *Word
	offline := 0
	for s := range 600 {
		now := saidAt.Add(time.Duration(s) * time.Second)
		if s%30 == 0 {
			w := Said{State: SaidDown, At: now}.Word(last, now)
			last = &w
		} else if s%2 == 1 {
			main = main.Noted(true, now)
		}
		if stand = r.Next(stand, Known{Word: last, Main: main}, now); stand.Mode == ModeOffline {
			offline++
		}
	}
	if offline == 0 || offline > 5 {
		t.Errorf("offline for %d s of 600", offline)
	}
}

func TestHandGoesBefore(t *testing.T) {
	r, now := DefaultModeRules(), saidAt
	say := func(up bool, hand bool, at time.Time) *Word { return &Word{At: at, Up: up, Hand: hand} }
	controller := Said{State: SaidDown, At: now}.Word(nil, now)
	k := Known{Word: &controller, Hand: say(true, true, now.Add(-time.Minute))}
	if n := r.Next(Stand{}, k, now); n.Mode != ModeOnline || !strings.Contains(n.Why, "somebody") {
		t.Errorf("%+v", n)
	}
	if n := r.Next(Stand{}, k, now.Add(time.Minute)); n.Mode != ModeOffline || !strings.Contains(n.Why, "controller") {
		t.Errorf("its time is over: %+v", n)
	}
	unknown := Said{State: SaidUnknown, At: now, Mbps: 7}.Word(nil, now)
	if n := r.Next(Stand{}, Known{Word: &unknown, Main: Tries{Failed: 3, At: now}}, now); n.Mode != ModeOffline || n.Mbps != 0 {
		t.Errorf("unknown leaves it to our own tries: %+v", n)
	}
	if n := r.Next(Stand{}, Known{Word: &controller}, now.Add(SaidFor+1)); n.Mode != ModeOnline {
		t.Errorf("after three minutes: %+v", n)
	}
}

// orders gives those with these numbers.
func orders(from, to int64) Orders {
	o := Orders{Head: to}
	for s := from; s <= to; s++ {
		o.Orders = append(o.Orders, Order{Seq: s, At: saidAt.Add(time.Duration(s) * time.Minute), Kind: OrderTag, What: fmt.Sprint("t", s)})
	}
	return o
}

func obeyed(seq int64) Obeyed { return Obeyed{seq, saidAt.Add(time.Duration(seq) * time.Minute)} }

func TestDueOrders(t *testing.T) {
	withAll := orders(1, 3)
	withAll.Orders[1].Kind = OrderAll
	other := obeyed(2)
	other.At = other.At.Add(1)
	for name, c := range map[string]struct {
		o    Orders
		last Obeyed
		want string // numbers, or all
	}{
		"nothing ever":                   {Orders{}, Obeyed{}, ""},
		"the first":                      {orders(1, 1), Obeyed{}, "1"},
		"two new":                        {orders(1, 5), obeyed(3), "4 5"},
		"none new":                       {orders(1, 5), obeyed(5), ""},
		"right before the oldest":        {orders(6, 9), obeyed(5), "6 7 8 9"},
		"a gap":                          {orders(6, 9), obeyed(4), "all"},
		"new here, and old ones are out": {orders(6, 9), Obeyed{}, "all"},
		"the count went back":            {orders(1, 3), obeyed(4), "all"},
		"the count is gone":              {Orders{}, obeyed(4), "all"},
		"another count":                  {orders(1, 3), other, "all"},
		"not known what was obeyed":      {orders(1, 3), Obeyed{Seq: -1}, "all"},
		"not known, and there was none":  {Orders{}, Obeyed{Seq: -1}, "all"},
		"an order without its text":      {Orders{Head: 4}, obeyed(3), "all"},
		"a head without its text":        {Orders{Head: 4}, obeyed(4), ""},
		"one of them is all":             {withAll, Obeyed{}, "all"},
		"all was before":                 {withAll, obeyed(2), "3"},
	} {
		due, next := c.o.Due(c.last)
		var got []string
		for _, d := range due {
			if d.Kind == OrderAll {
				got = append(got, "all")
			} else {
				got = append(got, fmt.Sprint(d.Seq))
			}
		}
		if strings.Join(got, " ") != c.want || next.Seq != c.o.Head {
			t.Errorf("%s: %v, then %+v", name, got, next)
		}
		if due, after := c.o.Due(next); len(due) != 0 && len(c.o.Orders) > 0 || after != next {
			t.Errorf("%s: due again %+v", name, due)
		}
	}
}

func TestParseOrders(t *testing.T) {
	o, err := ParseOrders([]byte(`{"head":3,"orders":[{"seq":2,"at":"2026-11-23T10:00:00Z","kind":"tag","what":"albo"},{"seq":3,"at":"2026-11-23T10:00:01Z","kind":"later","what":"x"}],"at":"2026-11-23T10:00:02Z"}`))
	if want := (Orders{3, []Order{{2, saidAt, OrderTag, "albo"}, {3, saidAt.Add(time.Second), OrderAll, ""}}}); err != nil || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, b := range []string{"", "[]", `{"head":-1}`, `{"head":1,"orders":[{"seq":2,"kind":"all"}]}`, `{"head":2,"orders":[{"seq":2,"kind":"all"},{"seq":2,"kind":"all"}]}`, `{"head":0,"orders":[{"seq":0,"kind":"all"}]}`,
		`{"head":1,"orders":[{"seq":1,"kind":"tag"}]}`, `{"head":9223372036854775808}`, `{"head":1,"orders":[{"seq":1,"kind":"url","what":"` + strings.Repeat("x", MostHeard) + `"}]}`} {
		if o, err := ParseOrders([]byte(b)); err == nil {
			t.Errorf("%.60s: %+v", b, o)
		}
	}
}

func FuzzSaid(f *testing.F) {
	f.Add([]byte(`{"state":"narrow","since":"2026-11-23T09:00:00Z","mbps":12.5,"unknown":[],"at":"2026-11-23T10:00:00Z"}`))
	f.Add([]byte(`{"state":"up","mbps":null,"at":"0001-01-01T00:00:01Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSaid(b)
		if err != nil {
			return
		}
		_ = s.Counts(saidAt)
		if w := s.Word(nil, saidAt); !(w.Mbps >= 0) || w.Narrow && !w.Up || w.Unknown && w.Narrow {
			t.Errorf("%+v", w)
		}
	})
}

func FuzzOrders(f *testing.F) {
	f.Add([]byte(`{"head":2,"orders":[{"seq":2,"at":"2026-11-23T10:00:00Z","kind":"tag","what":"albo"}]}`), int64(1))
	f.Add([]byte(`{"head":0,"orders":[]}`), int64(-1))
	f.Add([]byte(`{"head":9223372036854775807,"orders":null}`), int64(9223372036854775807))
	f.Fuzz(func(t *testing.T, b []byte, last int64) {
		o, err := ParseOrders(b)
		if err != nil {
			return
		}
		due, next := o.Due(Obeyed{Seq: last})
		if next.Seq != o.Head {
			t.Fatalf("%+v", next)
		}
		// What is beyond the last is due, or all is.
		if last != o.Head && len(due) == 0 {
			t.Fatalf("%d of %d, and nothing is due", last, o.Head)
		}
		if len(due) == 0 || due[0].Kind == OrderAll {
			return
		}
		if due[0].Seq != last+1 || due[len(due)-1].Seq != o.Head {
			t.Fatalf("%d: due %+v", last, due)
		}
	})
}
