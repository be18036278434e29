package feed

import (
	"slices"
	"sync"
	"time"
)

// board is what waits for the broker. The watcher writes on it, the sender
// takes from it, and neither waits for the other.
type board struct {
	wake chan struct{} // size one: there is something new

	mu      sync.Mutex
	online  bool
	slots   map[string]*slot
	urgent  []string // topics with something to send: status, alerts, clearings
	normal  []string // the others
	samples []sample
	room    int
	count   Figures // those that only grow
}

// slot is one retained topic.
type slot struct {
	queue  []payload // to send, in order
	last   payload   // what the broker is to hold in the end
	flying *payload  // under way, not acknowledged yet
	urgent bool
	listed bool
	sent   bool      // once at least
	at     time.Time // when it was sent last
	again  bool      // listed by repeat: only what the broker should have already
}

// backlog is how many topics the board holds before an alert that opened and
// closed again while there was no broker is forgotten.
const backlog = 10_000

// payload makes the bytes when they are sent, so that an age is right then;
// nil clears the topic.
type payload func(now time.Time) []byte

type sample struct {
	topic string
	body  []byte
}

func newBoard(samples int) *board {
	return &board{wake: make(chan struct{}, 1), slots: map[string]*slot{}, room: samples}
}

func (b *board) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put makes p the next and only thing to send on a topic: what waits there is
// overtaken.
func (b *board) put(topic string, p payload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slot(topic)
	s.queue, s.last = append(s.queue[:0], p), p
	s.again = false
	b.list(topic, s)
}

// push adds p behind what waits on an urgent topic.
func (b *board) push(topic string, p payload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slot(topic)
	if p == nil && !s.sent && len(s.queue) > 0 && len(b.slots) > backlog {
		delete(b.slots, topic)
		return
	}
	s.forgetRepeat()
	s.urgent = true
	s.queue, s.last = append(s.queue, p), p
	b.list(topic, s)
}

// repeat lists once more, behind all else, the retained topics that match and
// were not sent for a while: a broker may forget a subscriber that came in the
// instant of a message.
func (b *board) repeat(now time.Time, every time.Duration, match func(topic string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.online {
		return // all is sent at the next connection
	}
	for topic, s := range b.slots {
		if s.last == nil || s.listed || s.flying != nil || len(s.queue) > 0 || now.Sub(s.at) < every || !match(topic) {
			continue
		}
		s.queue = append(s.queue, s.last)
		s.listed, s.again = true, true
		b.normal = append(b.normal, topic)
		b.ring()
	}
}

// forgetRepeat makes way for what is new on the topic, which then takes its
// own place in the lists.
func (s *slot) forgetRepeat() {
	if s.again {
		s.queue, s.listed, s.again = s.queue[:0], false, false
	}
}

// first is put on an urgent topic, before all others.
func (b *board) first(topic string, p payload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slot(topic)
	s.urgent, s.again = true, false
	s.queue, s.last = append(s.queue[:0], p), p
	b.urgent = slices.DeleteFunc(b.urgent, func(t string) bool { return t == topic })
	b.urgent = slices.Insert(b.urgent, 0, topic)
	s.listed = true
	b.ring()
}

func (b *board) slot(topic string) *slot {
	s := b.slots[topic]
	if s == nil {
		s = &slot{}
		b.slots[topic] = s
	}
	return s
}

func (b *board) list(topic string, s *slot) {
	if s.listed || s.flying != nil || len(s.queue) == 0 {
		return
	}
	s.listed = true
	if s.urgent {
		b.urgent = append(b.urgent, topic)
	} else {
		b.normal = append(b.normal, topic)
	}
	b.ring()
}

// holds says whether a topic is to be retained in the end.
func (b *board) holds(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[topic]
	return s != nil && s.last != nil
}

// clear takes a topic off the broker, unless it is wanted.
func (b *board) clear(topic string) {
	if !b.holds(topic) {
		b.push(topic, nil)
	}
}

// next takes one retained message; it must be given back by done.
func (b *board) next(now time.Time) (topic string, body []byte, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, topic := b.head()
	if s == nil {
		return "", nil, false
	}
	s.listed, s.sent, s.again, s.at = false, true, false, now
	p := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	s.flying = &p
	if p != nil {
		body = p(now)
	}
	return topic, body, true
}

// head takes the topic whose turn it is.
func (b *board) head() (*slot, string) {
	for _, list := range []*[]string{&b.urgent, &b.normal} {
		for len(*list) > 0 {
			topic := (*list)[0]
			*list = (*list)[1:]
			if s := b.slots[topic]; s != nil && s.listed { // else forgotten
				return s, topic
			}
		}
	}
	return nil, ""
}

// done says what became of a message taken by next. One that was not
// acknowledged is sent again, unless it is a state that was overtaken.
func (b *board) done(topic string, acknowledged bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[topic]
	p := *s.flying
	s.flying = nil
	if acknowledged {
		b.count.Published++
	} else {
		b.count.Again++
	}
	if !acknowledged && (s.urgent || len(s.queue) == 0) {
		s.queue = slices.Insert(s.queue, 0, p)
	}
	b.list(topic, s)
	if len(s.queue) == 0 && s.last == nil {
		delete(b.slots, topic) // cleared
	}
}

// connected begins a new connection: everything retained is sent again, and
// samples are taken.
func (b *board) connected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.online = true
	for topic, s := range b.slots {
		s.forgetRepeat()
		if len(s.queue) == 0 {
			s.queue = append(s.queue, s.last)
		}
		b.list(topic, s)
	}
}

// disconnected drops the samples: by the next connection they are old.
func (b *board) disconnected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.online = false
	b.count.Dropped += uint64(len(b.samples))
	b.samples = nil
}

func (b *board) sample(topic string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.online {
		b.count.Dropped++
		return
	}
	if len(b.samples) >= b.room {
		b.samples = slices.Delete(b.samples, 0, len(b.samples)-b.room+1)
		b.count.Dropped++
	}
	b.samples = append(b.samples, sample{topic, body})
	b.ring()
}

func (b *board) nextSample() (sample, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.samples) == 0 {
		return sample{}, false
	}
	s := b.samples[0]
	b.samples = b.samples[1:]
	b.count.Samples++
	return s, true
}

// idle says that nothing retained waits or is under way.
func (b *board) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.urgent)+len(b.normal) > 0 {
		return false
	}
	for _, s := range b.slots {
		if s.flying != nil {
			return false
		}
	}
	return true
}

// retainedTopics with a prefix that are to be retained.
func (b *board) retainedTopics(match func(string) bool) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for t, s := range b.slots {
		if s.last != nil && match(t) {
			out = append(out, t)
		}
	}
	return out
}
