package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// channels in the order in which they are tried when a member says nothing.
var channels = []carpool.Channel{carpool.ByIO, carpool.ByMail, carpool.BySMS, carpool.ByVoice}

// queueOf is the queue of a channel in the outbox.
func queueOf(c carpool.Channel) string { return carpool.Queue + "." + string(c) }

// plan is the order in which a notice is brought: the member's own channels
// that can reach them, and the voice of the desk at the end, always.
func plan(v carpool.NoticeView, have func(carpool.Channel) bool) []carpool.Channel {
	wish := v.Reach.Channels
	if len(wish) == 0 {
		wish = []carpool.Channel{carpool.BySMS, carpool.ByMail}
	}
	can := func(c carpool.Channel) bool {
		switch c {
		case carpool.ByMail:
			return v.Reach.Email != ""
		case carpool.ByIO:
			return v.Reach.Fiscal != "" && v.IO
		case carpool.BySMS:
			return v.Reach.Phone != "" && !v.Reach.Landline
		}
		return false
	}
	if v.Trusted { // only a number is known of them
		wish = []carpool.Channel{carpool.BySMS}
		can = func(c carpool.Channel) bool { return mobile(v.To.Trusted.Phone) }
	}
	var out []carpool.Channel
	for _, c := range wish {
		if c == carpool.ByVoice {
			break // the desk is asked to call, and sees to it until it is done
		}
		if have(c) && can(c) && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return append(out, carpool.ByVoice)
}

// mobile says whether a number takes SMS, as far as it can be seen.
func mobile(phone string) bool { return strings.HasPrefix(phone, "+393") }

// next is the channel after one that could not bring a notice; false when it
// was the last.
func next(order []carpool.Channel, tried func(carpool.Channel) bool) (carpool.Channel, bool) {
	for _, c := range order {
		if !tried(c) {
			return c, true
		}
	}
	return "", false
}

// patience is until when a channel is tried that may work later: for the
// configured time, less when the notice is due before; five minutes at least.
func patience(added, due time.Time, cfg Config) time.Time {
	until := added.Add(cfg.Patience)
	if !due.IsZero() && due.Add(-cfg.Margin).Before(until) {
		until = due.Add(-cfg.Margin)
	}
	if least := added.Add(5 * time.Minute); until.Before(least) {
		until = least
	}
	return until
}
