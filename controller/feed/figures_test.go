package feed

import (
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

func TestFiguresOfTheBoard(t *testing.T) {
	b := newBoard(2)
	b.sample("s", nil) // nobody is there
	b.connected()
	b.put("state", says("1"))
	b.put("state", says("2"))
	b.push("alert", says("open"))
	b.push("alert", nil)
	for range 3 {
		b.sample("s", nil)
	}
	if got, want := b.figures(), (Figures{Connected: true, Retained: 1, Waiting: 3, Queued: 2, Dropped: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	topic, _, _ := b.next(noon)
	b.nextSample()
	if got, want := b.figures(), (Figures{Connected: true, Retained: 1, Waiting: 2, Flying: 1, Queued: 1, Samples: 1, Dropped: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b.done(topic, false)
	for topic, _, ok := b.next(noon); ok; topic, _, ok = b.next(noon) {
		b.done(topic, true)
	}
	b.disconnected()
	if got, want := b.figures(), (Figures{Retained: 1, Published: 3, Again: 1, Samples: 1, Dropped: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// slowWatch keeps the feed from beginning until it may.
type slowWatch struct {
	fakeWatch
	asked, may chan struct{}
}

func (w *slowWatch) Links() []network.LinkState {
	close(w.asked)
	<-w.may
	return nil
}

func TestFiguresOfAFeed(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a")...)
	w := &slowWatch{asked: make(chan struct{}), may: make(chan struct{})}
	f, stop := run(t, Default(), ridge(), w, embedded(s))
	<-w.asked // it listens by now
	for range 1024 + 7 {
		w.readings.Publish(reading("la", "bric-1", time.Now(), -60))
	}
	close(w.may)
	ready(t, f)
	eventually(t, "what was missed is counted", func() bool { return f.Figures().Missed == 7 })
	n := f.Figures()
	if !n.Connected || n.Retained < 3 || n.Published < uint64(n.Retained) {
		t.Errorf("ready with %+v", n)
	}
	w.readings.Publish(reading("la", "bric-1", time.Now(), -60))
	before := n.Samples
	eventually(t, "a sample is sent", func() bool { return f.Figures().Samples > before })
	stop()
	if n := f.Figures(); n.Connected || n.Flying != 0 || n.Dropped != f.Dropped() {
		t.Errorf("at the end %+v", n)
	}
}
