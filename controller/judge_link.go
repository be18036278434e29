package controller

import (
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// LinkSight is all that is known of a link when there is news of it.
type LinkSight struct {
	At      time.Time
	Link    network.Link
	Heard   network.End // the end the news is from; "" when only time has passed
	A, B    EndSight
	Built   bool // it was up at some time since the start
	Planned Planned
}

// EndSight is one end of a link.
type EndSight struct {
	Planned bool             // the device has no address: perhaps nobody has put it up yet
	Failing bool             // its last read failed
	Reading *network.Reading // the newest, whatever its age; nil: never one
}

// end gives one side.
func (s LinkSight) end(e network.End) EndSight {
	if e == network.EndB {
		return s.B
	}
	return s.A
}

// word is what one end says of the link.
type word uint8

const (
	silent  word = iota // says nothing: not watched, never read, or too long ago
	absent              // was read, and the peer was not there
	fading              // said up, but the last read of the device failed
	present             // says up
)

func (e EndSight) word(now time.Time, r Rules) word {
	switch {
	case e.Reading == nil || now.Sub(e.Reading.At) > r.StaleAfter:
		return silent
	case !e.Reading.Connected:
		return absent
	case e.Failing:
		return fading
	}
	return present
}

// Status is the one word for the link, by what its two ends say:
//
//	a        b                   link
//	present  anything            up       a peer in a table is proof; absence may be a misread
//	fading   absent              down     the far end went silent with the link
//	fading   fading or silent    up       one lost read is no news
//	absent   absent or silent    down
//	silent   silent              unknown  an unreachable device is not a broken link
//
// and the same with a and b exchanged. A link to a device that is only planned
// is not down but unknown, as long as nobody has seen it up.
func (s LinkSight) Status(r Rules) network.LinkStatus {
	a, b := s.A.word(s.At, r), s.B.word(s.At, r)
	if a < b {
		a, b = b, a
	}
	switch {
	case a == present:
		return network.StatusUp
	case a == fading && b == absent:
		return network.StatusDown
	case a == fading:
		return network.StatusUp
	case a == absent && (s.Built || !s.A.Planned && !s.B.Planned):
		return network.StatusDown
	}
	return network.StatusUnknown
}

// Capacity is what the radios can carry for data, in the slower direction: the
// PHY rate times the rules' efficiency. It is no measurement of throughput.
// Unknown for other media, and while no end says up.
func (s LinkSight) Capacity(r Rules) unit.Opt[unit.Mbps] {
	if s.Link.Medium != network.Radio {
		return unit.Opt[unit.Mbps]{}
	}
	var aToB, bToA unit.Opt[unit.Mbps]
	if s.A.word(s.At, r) >= fading {
		aToB, bToA = s.A.Reading.TxRate, s.A.Reading.RxRate
	}
	if s.B.word(s.At, r) >= fading {
		aToB, bToA = faster(aToB, s.B.Reading.RxRate), faster(bToA, s.B.Reading.TxRate)
	}
	slow := aToB
	if v, ok := bToA.Get(); ok && v < slow.Or(v+1) {
		slow = bToA
	}
	if v, ok := slow.Get(); ok {
		return unit.Some(v * unit.Mbps(r.Efficiency))
	}
	return slow
}

// faster is the greater of two rates seen of one direction: an idle radio
// shows the low rate of its last beacon or acknowledgement.
func faster(x, y unit.Opt[unit.Mbps]) unit.Opt[unit.Mbps] {
	if v, ok := y.Get(); ok && v > x.Or(v-1) {
		return y
	}
	return x
}

// Promise is the rate a link must carry.
func (s LinkSight) Promise(r Rules) unit.Mbps {
	if s.Link.MinMbps > 0 {
		return s.Link.MinMbps
	}
	return r.MinMbps
}

// WeakLimit is the level below which the signal at an end is weak, and the
// planned level it may come from.
func (s LinkSight) WeakLimit(r Rules, e network.End) unit.DBm {
	if p, ok := s.Planned.At(e).Get(); ok {
		return max(p.Minus(r.WeakBelowPlan), r.WeakFloor)
	}
	return r.WeakFloor
}

func (s LinkSight) judge(r Rules, st *State) []AlertEvent {
	status := s.Status(r)
	evs := s.judgeDown(r, st, status)
	if s.Link.Medium == network.Radio {
		evs = append(evs, s.judgeSignal(r, st)...)
		evs = append(evs, s.judgeCapacity(r, st, status)...)
	}
	return evs
}

func (s LinkSight) judgeDown(r Rules, st *State, status network.LinkStatus) []AlertEvent {
	v := noEvidence
	switch {
	case s.Heard == "":
	case status == network.StatusUp:
		v = good
	case status == network.StatusDown:
		v = bad
	}
	on := st.step(string(LinkDown), v, r.DownHold, r.ClearHold)
	return st.settle(string(LinkDown), on, s.At, func() Alert {
		a := s.alert(LinkDown)
		a.Seen, a.ToDo = downWords(s.Link)
		return a
	})
}

// judgeSignal looks only at the end just read, so that each end counts its own
// rounds. The alert is on while either end is weak.
func (s LinkSight) judgeSignal(r Rules, st *State) []AlertEvent {
	name := func(e network.End) string { return string(WeakSignal) + "/" + string(e) }
	if s.Heard != "" {
		v, limit := noEvidence, s.WeakLimit(r, s.Heard)
		if e := s.end(s.Heard); e.word(s.At, r) == present {
			if level, ok := e.Reading.Signal.Get(); ok {
				switch {
				case level < limit:
					v = bad
				case level >= limit.Plus(r.WeakGap):
					v = good
				default:
					v = between
				}
			}
		}
		st.step(name(s.Heard), v, r.WeakHold, r.ClearHold)
	}
	on := st.triggers[name(network.EndA)].on || st.triggers[name(network.EndB)].on
	return st.settle(string(WeakSignal), on, s.At, func() Alert {
		a := s.alert(WeakSignal)
		a.End = s.Heard
		rd := s.end(s.Heard).Reading
		a.Device = rd.Device
		level, limit := rd.Signal.Or(0), s.WeakLimit(r, s.Heard)
		a.Measured = Figure{"signal_dbm", float64(level)}
		a.Expected = Figure{"signal_dbm", float64(s.Planned.At(s.Heard).Or(limit))}
		a.Seen, a.ToDo = weakWords(s.Link, rd.Device, level, limit, s.Planned.At(s.Heard))
		return a
	})
}

// judgeCapacity counts one round for each read of end A, or of end B while A
// says nothing.
func (s LinkSight) judgeCapacity(r Rules, st *State, status network.LinkStatus) []AlertEvent {
	v := noEvidence
	capacity, known := s.Capacity(r).Get()
	promise := s.Promise(r)
	clock := s.Heard == network.EndA || s.Heard == network.EndB && s.A.word(s.At, r) == silent
	if clock && known && status == network.StatusUp {
		switch {
		case capacity < promise:
			v = bad
		case capacity >= promise*unit.Mbps(1+r.CapacityGap):
			v = good
		default:
			v = between
		}
	}
	on := st.step(string(LowCapacity), v, r.CapacityHold, r.ClearHold)
	return st.settle(string(LowCapacity), on, s.At, func() Alert {
		a := s.alert(LowCapacity)
		a.Measured = Figure{"capacity_mbps", float64(capacity)}
		a.Expected = Figure{"capacity_mbps", float64(promise)}
		a.Seen, a.ToDo = capacityWords(s.Link, capacity, promise)
		return a
	})
}

func (s LinkSight) alert(k Kind) Alert {
	return Alert{Kind: k, Link: s.Link.ID, Partners: append([]network.PartnerID{}, s.Link.Partner...)}
}
