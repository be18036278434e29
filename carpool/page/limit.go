package page

import (
	"context"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// Searches are the costliest thing that strangers may ask for. A member's count
// against their account alone, wherever they are, so that neighbours behind one
// address do not take each other's; strangers' against their address, an IPv4
// address or an IPv6 /64. The desk searches for many people, each operator by
// their own account.
var (
	strangerSearches = login.Rate{Burst: 60, Every: time.Second}
	memberSearches   = login.Rate{Burst: 30, Every: 2 * time.Second}
	deskSearches     = login.Rate{Burst: 120, Every: time.Second / 2}
)

// searches remembers for each asker the time at which all that was asked would
// be paid for, as login.Rate says it. Askers fall on a fixed place in each row by
// a hash that nobody outside can foresee, so that no number of them takes more
// memory. The earliest of an asker's places counts: only two who meet in every
// row share a limit.
type searches struct {
	mu   sync.Mutex
	rows [3]struct {
		seed maphash.Seed
		paid [1 << 12]time.Time
	}
}

func newSearches() *searches {
	s := new(searches)
	for i := range s.rows {
		s.rows[i].seed = maphash.MakeSeed()
	}
	return s
}

// take lets a search through, of somebody with an account at a rate, or is
// login.Slow. The socket of the data folder has no limit.
func (s *searches) take(ctx context.Context, now time.Time, rate login.Rate) error {
	who := ""
	if id := web.Who(ctx); id.Known() {
		who = "account " + id.Person
	} else if a, err := netip.ParseAddr(audit.By(ctx).From); err == nil {
		rate = strangerSearches
		who = a.String()
		if a.Is6() {
			who = netip.PrefixFrom(a, 64).Masked().String()
		}
	} else {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var places [len(s.rows)]*time.Time
	var paid time.Time
	for i := range s.rows {
		row := &s.rows[i]
		places[i] = &row.paid[maphash.String(row.seed, who)%uint64(len(row.paid))]
		if i == 0 || places[i].Before(paid) {
			paid = *places[i]
		}
	}
	next, wait := rate.Next(paid, now)
	if wait > 0 {
		return fault.As(fault.Denied, login.Slow{After: wait})
	}
	for _, p := range places {
		if p.Before(next) {
			*p = next
		}
	}
	return nil
}
