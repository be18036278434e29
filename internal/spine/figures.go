package spine

import "github.com/nats-io/nats-server/v2/server"

// Figures are counts of the broker since its start; all are 0 while it does
// not run.
type Figures struct {
	Open     int    // connections that are let in
	Waiting  int    // connections that have not logged in yet
	Accepted uint64 // connections let in
	Refused  uint64 // connections turned away: no room, no MQTT, wrong user or password
	Slow     uint64 // connections closed by the server because they took too long to read
	Swept    uint64 // sessions dropped: of users that are gone, or too many of one user
	Messages uint64 // kept on the disk: retained, waiting for clients that are away, sessions
	Bytes    uint64 // of the disk, for these
}

// Figures gives the counts of this moment.
func (s *Spine) Figures() Figures {
	s.mu.Lock()
	srv, front := s.srv, s.front
	s.mu.Unlock()
	if srv == nil {
		return Figures{}
	}
	f := front.figures()
	f.Slow = uint64(max(srv.NumSlowConsumers(), 0))
	if js, err := srv.Jsz(&server.JSzOptions{}); err == nil { // it ends just now
		f.Messages, f.Bytes = js.Messages, js.Store
	}
	return f
}

// figures are those that the front knows.
func (f *front) figures() Figures {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.count
	for _, in := range f.conns {
		if in {
			n.Open++
		} else {
			n.Waiting++
		}
	}
	return n
}

// swept counts a session that was dropped.
func (f *front) swept() {
	f.mu.Lock()
	f.count.Swept++
	f.mu.Unlock()
}
