package store

import (
	"context"
	"strings"
)

// PurgeTag forgets what bears a tag within a service, and says how much.
func (s *Store) PurgeTag(service, comune string, sealed bool, tag string) (n int, err error) {
	var secret []byte
	if sealed {
		k, ok := s.deps.Key(comune)
		if !ok {
			return 0, nil // nothing can be given without the key either
		}
		secret = k
	}
	t := tagID(secret, service, tag)
	ids, err := s.index.ids(tagBucket, t[:])
	if err != nil {
		return 0, err
	}
	for _, i := range ids {
		lock := &s.locks[i[0]]
		lock.Lock()
		s.drop(i)
		lock.Unlock()
	}
	return len(ids), nil
}

// PurgePrefix forgets what of a service is stored at addresses that begin so,
// and says how much. It reads the record of everything of the service.
func (s *Store) PurgePrefix(ctx context.Context, service, prefix string) (n int, err error) {
	for b := range 256 {
		rows, err := s.index.rows(byte(b))
		if err != nil {
			return n, err
		}
		for i, r := range rows {
			if ctx.Err() != nil {
				return n, ctx.Err()
			}
			if r.Service != service {
				continue
			}
			lock := &s.locks[i[0]]
			lock.Lock()
			if e, _, err := s.scan(i); err == nil && e != nil && strings.HasPrefix(e.address, prefix) {
				s.drop(i)
				n++
			}
			lock.Unlock()
		}
	}
	return n, nil
}
