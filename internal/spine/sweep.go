package spine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	sweepPause = 10 * time.Second // from the reason of a sweep to the sweep, so that many reasons are one
	sweepLimit = 5 * time.Minute  // of one sweep
	dropLimit  = 10 * time.Second // of one session
	maxLeft    = 100_000          // times of leaving that are noted; of more the server's record must do
)

// sweeper drops, until ctx ends, the sessions that are kept for nobody: those
// of users that are gone, and the oldest of a user that has more than
// Config.MaxSessions of them. The server would keep each for ever, and hold
// every message back for each of their subscriptions.
func (s *Spine) sweeper(ctx context.Context, srv *server.Server, f *front) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.news:
		}
		pause := time.NewTimer(s.pause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		limited, cancel := context.WithTimeout(ctx, sweepLimit)
		n, err := s.sweep(limited, srv, f)
		cancel()
		if n > 0 {
			s.log.Info("message broker: sessions of users that are gone, or beyond those kept for a user, are dropped", "sessions", n, "kept_per_user", s.cfg.MaxSessions)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("message broker: old sessions stay and cost room", "err", err)
		}
	}
}

// sweep drops once what is to be dropped, and gives how many sessions that a
// client may count on.
func (s *Spine) sweep(ctx context.Context, srv *server.Server, f *front) (dropped int, err error) {
	js, end, err := s.jetstream(srv)
	if err != nil {
		return 0, err
	}
	defer end()
	listed := time.Now()
	all, err := readSessions(ctx, js)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	var users map[string]bool // nil: nobody has said yet who they are
	if s.change > 0 {
		users = map[string]bool{internalUser: true}
		for _, u := range s.users {
			users[u.Name] = true
		}
	}
	s.mu.Unlock()
	for _, r := range surplus(f.away(all, listed), users, s.cfg.MaxSessions) {
		if !f.claim(r.ID, listed) {
			continue // its client has come back
		}
		e := s.drop(ctx, f, r.ID)
		f.unclaim(r.ID)
		switch {
		case ctx.Err() != nil: // the rest with the next
			f.ring()
			return dropped, context.Cause(ctx)
		case e != nil:
			err = fmt.Errorf("drop session %q: %w", r.ID, e)
		case !r.Clean:
			dropped++
			f.swept()
		}
	}
	return dropped, err
}

// surplus are those of the sessions that nobody is connected to which are to be
// dropped, given who the users are: those of nobody; those that should have
// ended with their connection, and did not because the process did; and of each
// user the ones that were left first, beyond the number kept. Sessions whose id
// is the server's own have no user's name, and are left alone.
func surplus(away []record, users map[string]bool, kept int) (out []record) {
	slices.SortFunc(away, func(a, b record) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.ID, b.ID)) })
	count := map[string]int{}
	for _, r := range away {
		user, _, named := strings.Cut(r.ID, ":")
		switch {
		case !named:
		case r.Clean, users != nil && !users[user]:
			out = append(out, r)
		default:
			if count[user]++; count[user] > kept {
				out = append(out, r)
			}
		}
	}
	return out
}

// drop ends a session as its own client would: it connects with the id, without
// the wish for a session, and says goodbye. So the server forgets all of it,
// in its memory and on the disk. The id is claimed.
func (s *Spine) drop(ctx context.Context, f *front, id string) error {
	ctx, cancel := context.WithTimeout(ctx, dropLimit)
	defer cancel()
	c, leave, err := s.login(ctx, f.to, f.names, id)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := c.Write([]byte{0xe0, 0}); err != nil { // DISCONNECT
		return err
	}
	_, _ = io.Copy(io.Discard, c) // till the server is through with it
	return ctx.Err()
}

// hold notes that a client asks for a session, unless that is just being
// dropped.
func (f *front) hold(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == "" {
		return true
	}
	if f.claimed[id] {
		return false
	}
	f.held[id]++
	return true
}

// release is the end of hold. A session that lasts is away from now on.
func (f *front) release(c net.Conn, id string, lasts bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == "" {
		return
	}
	if f.held[id]--; f.held[id] <= 0 {
		delete(f.held, id)
	}
	if lasts && f.conns[c] {
		if len(f.left) < maxLeft {
			f.left[id] = time.Now()
		}
		f.ring()
	}
}

// ring asks for a sweep.
func (f *front) ring() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// away are those of the sessions that no client is connected to, with the time
// they were left where that is known; the server's record has only the time of
// the last connection or subscription. Times of sessions that are no more are
// forgotten.
func (f *front) away(all []record, listed time.Time) (out []record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	still := map[string]time.Time{}
	for id, at := range f.left {
		if at.After(listed) {
			still[id] = at
		}
	}
	for _, r := range all {
		if at, ok := f.left[r.ID]; ok {
			still[r.ID] = at
			if at.After(r.at) {
				r.at = at
			}
		}
		if f.held[r.ID] == 0 {
			out = append(out, r)
		}
	}
	f.left = still
	return out
}

// claim takes a session that nobody is connected to, nor was since it was
// listed; whoever asks for it before unclaim is asked to come again.
func (f *front) claim(id string, listed time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held[id] > 0 || f.left[id].After(listed) {
		return false
	}
	f.claimed[id] = true
	return true
}

func (f *front) unclaim(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.claimed, id)
	delete(f.left, id)
}
