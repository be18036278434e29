package page

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// One stream too many, asked a hundred times, is one line of the log, until
// there is room again.
func TestOneStreamTooManyIsSaidOnce(t *testing.T) {
	var out bytes.Buffer
	p := &Pages{cfg: Config{Streams: 4}, log: slog.New(slog.NewTextHandler(&out, nil)), streams: make(chan struct{}, 4)}
	ask := func() {
		t.Helper()
		for len(p.streams) < cap(p.streams) {
			p.streams <- struct{}{}
		}
		for range 100 {
			rec := httptest.NewRecorder()
			if err := p.events(rec, httptest.NewRequest("GET", "/rete/eventi", nil)); err != nil || rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
				t.Fatalf("%d %v", rec.Code, err)
			}
		}
	}
	for i, want := range []int{1, 1, 2} {
		ask()
		if got := strings.Count(out.String(), "\n"); got != want || strings.Contains(out.String(), "ERROR") {
			t.Errorf("round %d: want %d lines in\n%s", i, want, out.String())
		}
		p.leave()
		if i == 1 { // now half are free
			p.leave()
		}
	}
}

// One person has their share of the streams; another still gets one.
func TestNobodyTakesAllStreams(t *testing.T) {
	var c crowd
	for i := range 3 {
		if !c.enter("uno", 3) {
			t.Errorf("stream %d is refused", i)
		}
	}
	if c.enter("uno", 3) || !c.enter("due", 3) {
		t.Error("the share of one is not that of the others")
	}
	c.leave("uno")
	if !c.enter("uno", 3) {
		t.Error("a stream that ended still counts")
	}
	for range 3 {
		c.leave("uno")
	}
	c.leave("due")
	if len(c.of) != 0 {
		t.Errorf("%v are remembered", c.of)
	}
}
