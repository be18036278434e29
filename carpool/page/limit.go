package page

import (
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
// address or an IPv6 /64.
var (
	strangerSearches = login.Rate{Burst: 60, Every: time.Second}
	memberSearches   = login.Rate{Burst: 30, Every: 2 * time.Second}
)

// searches remembers for each asker the time at which all that was asked would
// be paid for (the generic cell rate algorithm). Askers fall on fixed places by
// a hash that nobody outside can foresee, so that no number of them takes more
// memory; two on one place only share its limit.
type searches struct {
	seed maphash.Seed
	mu   sync.Mutex
	paid [1 << 12]time.Time
}

// take lets a search of a visitor through, or is login.Slow. The socket of the
// data folder has no limit.
func (s *searches) take(v *visit) error {
	rate, who := strangerSearches, ""
	if id := web.Who(v.r.Context()); id.Known() {
		rate, who = memberSearches, "account "+id.Person
	} else if a, err := netip.ParseAddr(audit.By(v.r.Context()).From); err == nil {
		who = a.String()
		if a.Is6() {
			who = netip.PrefixFrom(a, 64).Masked().String()
		}
	} else {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	paid := &s.paid[maphash.String(s.seed, who)%uint64(len(s.paid))]
	next := *paid
	if next.Before(v.now) {
		next = v.now
	}
	next = next.Add(rate.Every)
	if wait := next.Sub(v.now) - time.Duration(rate.Burst)*rate.Every; wait > 0 {
		return fault.As(fault.Denied, login.Slow{After: wait})
	}
	*paid = next
	return nil
}
