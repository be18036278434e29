package gtfs

import (
	"cmp"
	"fmt"
	"slices"
)

// unknown is the time of a call that the timetable does not give.
const unknown = int32(-1)

// rawCall is a row of stop_times before the rows are in order.
type rawCall struct {
	trip, seq int32
	line      int32 // of the file, for messages
	call
}

func (b *builder) stopTimes() error {
	var raw []rawCall
	err := b.each("stop_times.txt", func(t *table) error {
		r, err := b.stopTime(t)
		raw = append(raw, r)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(raw, func(x, y rawCall) int {
		return cmp.Or(cmp.Compare(x.trip, y.trip), cmp.Compare(x.seq, y.seq))
	})
	b.out.calls = make([]call, 0, len(raw))
	for len(raw) > 0 {
		n := 1
		for n < len(raw) && raw[n].trip == raw[0].trip {
			n++
		}
		if err := b.trip(raw[:n]); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return nil
}

func (b *builder) stopTime(t *table) (rawCall, error) {
	r := rawCall{line: int32(t.line)}
	var ok bool
	if r.trip, ok = b.trips[t.get("trip_id")]; !ok {
		return r, t.bad("trip_id", "%.60q is not in trips.txt", t.get("trip_id"))
	}
	if r.stop, ok = b.stops[t.get("stop_id")]; !ok {
		return r, t.bad("stop_id", "%.60q is not in stops.txt", t.get("stop_id"))
	}
	if r.stop < 0 {
		return r, t.bad("stop_id", "%.60q is not a stop where a bus halts (location_type)", t.get("stop_id"))
	}
	seq, err := parseWhole(t.get("stop_sequence"))
	if err != nil {
		return r, t.bad("stop_sequence", "%w", err)
	}
	r.seq = int32(seq)
	if r.arrive, err = maybeTime(t.get("arrival_time")); err != nil {
		return r, t.bad("arrival_time", "%w", err)
	}
	if r.depart, err = maybeTime(t.get("departure_time")); err != nil {
		return r, t.bad("departure_time", "%w", err)
	}
	if r.arrive == unknown {
		r.arrive = r.depart
	}
	if r.depart == unknown {
		r.depart = r.arrive
	}
	if r.noBoard, err = forbidden(t.get("pickup_type")); err != nil {
		return r, t.bad("pickup_type", "%w", err)
	}
	if r.noExit, err = forbidden(t.get("drop_off_type")); err != nil {
		return r, t.bad("drop_off_type", "%w", err)
	}
	return r, nil
}

func maybeTime(s string) (int32, error) {
	if s == "" {
		return unknown, nil
	}
	return parseTime(s)
}

// forbidden reads pickup_type and drop_off_type: 1 is none.
func forbidden(s string) (bool, error) {
	switch s {
	case "", "0", "2", "3":
		return false, nil
	case "1":
		return true, nil
	}
	return false, fmt.Errorf("%.20q is not one of 0 to 3", s)
}

// trip checks the calls of one trip and puts them in; times that are not given
// lie evenly between those that are.
func (b *builder) trip(raw []rawCall) error {
	bad := func(r rawCall, column, format string, args ...any) error {
		return at("stop_times.txt", int(r.line), column, format, args...)
	}
	first, last := raw[0], raw[len(raw)-1]
	switch {
	case len(raw) < 2:
		return bad(first, "trip_id", "the trip has one stop only")
	case first.depart == unknown:
		return bad(first, "departure_time", "it is empty at the first stop of the trip")
	case last.arrive == unknown:
		return bad(last, "arrival_time", "it is empty at the last stop of the trip")
	}
	before, known := first.depart, 0
	for i, r := range raw {
		if i > 0 && r.seq == raw[i-1].seq {
			return bad(r, "stop_sequence", "%d stands twice in the trip", r.seq)
		}
		if r.arrive == unknown {
			continue
		}
		if i > 0 && r.arrive < before {
			return bad(r, "arrival_time", "before the departure from the stop before")
		}
		if r.depart < r.arrive {
			return bad(r, "departure_time", "before the arrival")
		}
		for j := known + 1; j < i; j++ {
			even := before + (r.arrive-before)*int32(j-known)/int32(i-known)
			raw[j].arrive, raw[j].depart = even, even
		}
		before, known = r.depart, i
	}
	tr := &b.out.trips[first.trip]
	tr.first = int32(len(b.out.calls))
	for _, r := range raw {
		b.out.calls = append(b.out.calls, r.call)
	}
	tr.last = int32(len(b.out.calls))
	return nil
}

// finish makes the index of who calls at a stop.
func (b *builder) finish() error {
	t := b.out
	t.visits = make([][]visit, len(t.stops))
	for i, tr := range t.trips {
		for j, c := range t.calls[tr.first:tr.last] {
			t.visits[c.stop] = append(t.visits[c.stop], visit{int32(i), int32(j)})
			t.longest = max(t.longest, c.arrive+tr.later)
		}
	}
	for _, s := range t.services {
		if first, last, ok := s.span(); ok {
			if t.First == 0 || first < t.First {
				t.First = first
			}
			t.Last = max(t.Last, last)
		}
	}
	return nil
}
