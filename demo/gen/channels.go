package main

import (
	"fmt"
	"slices"
)

// channel is a primary channel and a width. Those of 40 MHz reach 30 MHz over
// their primary's centre; none overlaps another.
type channel struct{ freq, width float64 }

// The blocks at 5580 and 5620 touch 5600 to 5650 MHz, where a radar check of
// ten minutes is asked, so they come last.
var (
	wide   = []channel{{5500, 40}, {5540, 40}, {5660, 40}, {5580, 40}, {5620, 40}}
	narrow = channel{5700, 20}
)

// user of a channel: a backbone link or a sector with its stations.
type user struct {
	hops   []*hop
	ap     *radio
	places []*place
	narrow bool // may take the narrow channel
	chosen channel
}

// channels gives each link and sector a channel that no other one at any of
// its places has, taking what is least used elsewhere.
func (p *plan) channels() error {
	var users []*user
	for _, h := range p.ptp {
		if h.a.antenna.gear == wire {
			for _, r := range []*radio{h.a, h.b} {
				r.freq, r.width = 58320, 2160
			}
			continue
		}
		_, good, err := p.land.link(h.a.antenna, h.b.antenna, narrow.freq, narrow.width, phyWant)
		if err != nil {
			return err
		}
		users = append(users, &user{hops: []*hop{h}, places: []*place{h.a.place, h.b.place}, narrow: good})
	}
	for _, s := range p.sectors {
		u := &user{hops: s.stations, ap: s.ap, places: []*place{s.ap.place}}
		for _, h := range s.stations {
			u.places = append(u.places, h.b.place)
		}
		users = append(users, u)
	}
	clash := func(a, b *user) bool {
		return slices.ContainsFunc(a.places, func(x *place) bool {
			return slices.ContainsFunc(b.places, func(y *place) bool { return near(x.at, y.at) })
		})
	}
	slices.SortStableFunc(users, func(a, b *user) int {
		n := func(u *user) (n int) {
			for _, o := range users {
				if o != u && clash(u, o) {
					n++
				}
			}
			if u.narrow {
				n-- // easier to place
			}
			return n
		}
		return n(b) - n(a)
	})
	count := map[channel]int{}
	if !colour(users, 0, clash, count) {
		return fmt.Errorf("the channels do not suffice for the sites with most links")
	}
	for _, u := range users {
		for _, h := range u.hops {
			h.a.freq, h.a.width, h.b.freq, h.b.width = u.chosen.freq, u.chosen.width, u.chosen.freq, u.chosen.width
		}
		if u.ap != nil {
			u.ap.freq, u.ap.width = u.chosen.freq, u.chosen.width
		}
	}
	return nil
}

// colour tries the channels for users from i on, the least used first.
func colour(users []*user, i int, clash func(a, b *user) bool, count map[channel]int) bool {
	if i == len(users) {
		return true
	}
	u := users[i]
	options := slices.Clone(wide)
	if u.narrow {
		options = append(options, narrow)
	}
	slices.SortStableFunc(options, func(a, b channel) int { return count[a] - count[b] })
	for _, c := range options {
		taken := slices.ContainsFunc(users[:i], func(o *user) bool { return o.chosen == c && clash(u, o) })
		if taken {
			continue
		}
		u.chosen = c
		count[c]++
		if colour(users, i+1, clash, count) {
			return true
		}
		count[c]--
		u.chosen = channel{}
	}
	return false
}
