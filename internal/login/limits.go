package login

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Rate lets Burst tries through at once, then one each Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// Next is until when everything is paid for once one more is let through that
// comes now, where paid is that time before it (the generic cell rate
// algorithm). With a wait it is not let through.
func (r Rate) Next(paid, now time.Time) (next time.Time, wait time.Duration) {
	if paid.Before(now) {
		paid = now
	}
	next = paid.Add(r.Every)
	return next, max(next.Sub(now)-r.most(), 0)
}

// Limits on guessing. A try that any of its limits refuses costs none of them
// anything and is not looked at. One that succeeds gives back what it took.
//
// A stranger's try counts against the first four. From a device that the owner
// signed in with before (its cookie says so), or else from a network they
// signed in from lately, it counts against Known alone, kept apart for each
// device and network: however much others guess, the owner gets in from there.
type Limits struct {
	Pair    Rate // one account from one source
	Source  Rate // one source, whatever account: an IPv4 address or an IPv6 /64
	Account Rate // one account, from whatever source
	All     Rate // all strangers together: what the hashing may cost
	Known   Rate // one account from one known device or network
	Codes   Rate // codes of the second factor of one account, by strangers who have its password; codes sent for one account
	Join    Rate // accounts that one source makes
	Ask     Rate // codes sent to one alias for one source: no stranger uses up what its owner needs
	Sent    Rate // codes sent to one alias for all, so that nobody's phone is flooded
}

// DefaultLimits are those that docs/understand/people.md explains.
func DefaultLimits() Limits {
	return Limits{
		Pair:    Rate{5, time.Minute},
		Source:  Rate{20, 30 * time.Second},
		Account: Rate{10, 5 * time.Minute},
		All:     Rate{60, 500 * time.Millisecond},
		Known:   Rate{10, time.Minute},
		Codes:   Rate{5, 15 * time.Minute},
		Join:    Rate{10, 3 * time.Minute},
		Ask:     Rate{3, 15 * time.Minute},
		Sent:    Rate{12, 5 * time.Minute},
	}
}

func (l Limits) check() error {
	for _, r := range []Rate{l.Pair, l.Source, l.Account, l.All, l.Known, l.Codes, l.Join, l.Ask, l.Sent} {
		if r.Burst < 1 || r.Burst > 1<<20 || r.Every <= 0 || r.Every > 24*time.Hour {
			return fault.New(fault.Invalid, "accounts: a limit on guessing lets %d through and then one each %s; give at least 1, and up to 24h", r.Burst, r.Every)
		}
	}
	return nil
}

// Slow is the error of a try that came too early; it was not looked at.
type Slow struct {
	After time.Duration // try again then
}

func (s Slow) Error() string {
	return fmt.Sprintf("too many tries: wait %s and try again", s.After.Round(time.Second))
}

// slow is Slow as a refusal; whole seconds, since HTTP tells no less.
func slow(after time.Duration) error {
	after = (after + time.Second - 1).Truncate(time.Second)
	return fault.As(fault.Denied, Slow{max(after, time.Second)})
}

// slots of each table. Keys fall on them by a hash that nobody outside can
// foresee: the memory is the same whatever is tried, and two that fall on the
// same slot only share its limit.
const slots = 1 << 14

// table is one limit for many keys: for each slot the time at which all of its
// tries would be paid for (the generic cell rate algorithm).
type table struct {
	rate Rate
	paid []time.Duration // since the start of the guard
}

type guard struct {
	start time.Time // with the clock that is never set, where now has it
	seed  maphash.Seed

	mu    sync.Mutex
	pair  table
	src   table
	acct  table
	all   table
	known table
	codes table
	join  table
	ask   table
	sent  table
}

func newGuard(l Limits, now time.Time) *guard {
	t := func(r Rate, n int) table { return table{r, make([]time.Duration, n)} }
	return &guard{start: now, seed: maphash.MakeSeed(), pair: t(l.Pair, slots), src: t(l.Source, slots), acct: t(l.Account, slots),
		all: t(l.All, 1), known: t(l.Known, slots), codes: t(l.Codes, slots), join: t(l.Join, slots), ask: t(l.Ask, slots), sent: t(l.Sent, slots)}
}

// charge is one limit that a try counts against.
type charge struct {
	table *table
	key   string
}

// try is what Login asks the limits about.
type try struct {
	name   string
	source netip.Addr
	known  string // the mark of the known device or network; "" for a stranger
	code   bool   // of the second factor
	join   string // network that makes an account; "" for a sign-in
	send   string // mark of the alias that a code is sent to for the account of name; "" for a sign-in
}

func (g *guard) charges(t try) []charge {
	if t.join != "" {
		return []charge{{&g.join, t.join}}
	}
	if t.send != "" {
		return []charge{{&g.codes, "alias\x00" + t.name}, {&g.ask, t.send + "\x00" + network(t.source)}, {&g.sent, t.send}}
	}
	if t.known != "" {
		return []charge{{&g.known, t.known}}
	}
	if t.code {
		return []charge{{&g.codes, t.name}, {&g.src, network(t.source)}, {&g.all, ""}}
	}
	src := network(t.source)
	return []charge{{&g.pair, t.name + "\x00" + src}, {&g.src, src}, {&g.acct, t.name}, {&g.all, ""}}
}

// take lets a try through, or says how long to wait.
func (g *guard) take(t try, now time.Time) (wait time.Duration) {
	at := now.Sub(g.start)
	g.mu.Lock()
	defer g.mu.Unlock()
	cs := g.charges(t)
	for _, c := range cs {
		wait = max(wait, c.ahead(g.slot(c), at)+c.table.rate.Every-c.table.rate.most())
	}
	if wait > 0 {
		return wait
	}
	for _, c := range cs {
		p := g.slot(c)
		*p = at + c.ahead(p, at) + c.table.rate.Every
	}
	return 0
}

// most is how far ahead of the present a slot can be.
func (r Rate) most() time.Duration { return time.Duration(r.Burst) * r.Every }

// ahead is how far the slot is. A clock that was set back leaves no slot
// further ahead than it can come by tries.
func (c charge) ahead(paid *time.Duration, at time.Duration) time.Duration {
	*paid = min(*paid, at+c.table.rate.most())
	return max(*paid-at, 0)
}

// give back what a try took that turned out to be the owner's.
func (g *guard) give(t try) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.charges(t) {
		*g.slot(c) -= c.table.rate.Every
	}
}

func (g *guard) slot(c charge) *time.Duration {
	return &c.table.paid[maphash.String(g.seed, c.key)%uint64(len(c.table.paid))]
}

// network is the source as limits and marks count it: an IPv4 address, an IPv6
// /64, since a home has that many addresses.
func network(a netip.Addr) string {
	if !a.IsValid() {
		return "" // the local socket
	}
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}
