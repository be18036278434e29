package controller

import (
	"slices"
	"sync"

	"github.com/crinale/crinale/internal/spine"
)

// Guests puts the lists of several registries together for one broker, which
// wants the whole list of its users each time.
type Guests struct {
	broker PartnerBroker

	mu    sync.Mutex
	lists map[string][]spine.User // by registry
}

// NewGuests is for a broker.
func NewGuests(b PartnerBroker) *Guests { return &Guests{broker: b, lists: map[string][]spine.User{}} }

// Of is the broker as one registry sees it: what it sets replaces what it has
// set before, and nothing of others.
func (g *Guests) Of(registry string) PartnerBroker { return guestList{g, registry} }

type guestList struct {
	g        *Guests
	registry string
}

// SetPartners gives the broker everybody. A list that the broker refuses is not
// kept, so that it spoils no change of another registry.
func (l guestList) SetPartners(users []spine.User) error {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	old, had := l.g.lists[l.registry]
	l.g.lists[l.registry] = users
	var all []spine.User
	for _, name := range l.g.names() {
		all = append(all, l.g.lists[name]...)
	}
	err := l.g.broker.SetPartners(all)
	if err != nil {
		delete(l.g.lists, l.registry)
		if had {
			l.g.lists[l.registry] = old
		}
	}
	return err
}

// names are the registries in a fixed order. It needs the lock.
func (g *Guests) names() []string {
	var out []string
	for name := range g.lists {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
