package store

import (
	"slices"
	"time"
)

// Used are the addresses of a service that were given since a time, those given
// last first. What cannot be read is left out.
func (s *Store) Used(service string, since time.Time, most int) ([]string, error) {
	type one struct {
		id   uint64
		used uint32
	}
	from := uint32(max(since.Unix(), 0))
	var all []one
	err := s.walk(func(b *brief) {
		if b.used >= from {
			all = append(all, one{b.id, b.used})
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b one) int { return int(int64(b.used) - int64(a.used)) })
	var out []string
	seen := map[string]bool{}
	for _, o := range all {
		if len(out) >= most {
			break
		}
		r, err := s.record(o.id, s.lockOf)
		if err != nil || r.service != service || seen[r.address] {
			continue
		}
		seen[r.address] = true
		out = append(out, r.address)
	}
	return out, nil
}
