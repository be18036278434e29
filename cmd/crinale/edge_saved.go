package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/proxy"
	"github.com/crinale/crinale/internal/zone"
)

// savings keep what the store has saved, by month and comune. A sudden end costs
// what came since the last minute.
type savings struct {
	s    *edgeServer
	file string

	mu   sync.Mutex
	all  edge.Saved
	seen map[string]proxy.Tally // what was counted already, by service
}

func newSavings(s *edgeServer) *savings {
	v := &savings{s: s, file: filepath.Join(s.data, "saved.json"), seen: map[string]proxy.Tally{}}
	data, err := os.ReadFile(v.file)
	if err == nil {
		err = json.Unmarshal(data, &v.all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) { // figures alone: they begin anew, and what was there is put aside
		s.log.Warn("what was saved in other months cannot be read", "err", err)
		v.all = edge.Saved{}
		_ = os.Rename(v.file, v.file+".damaged")
	}
	return v
}

// month is the one that is counted to now.
func month() string { return time.Now().In(zone.Rome()).Format("2006-01") }

// now counts what came since the last time, and gives all.
func (v *savings) now() edge.Saved {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.s.policy.Services {
		t, was := v.s.proxy.Tally(p.Host), v.seen[p.Host]
		v.seen[p.Host] = t
		if t.Given != was.Given || t.Fetched != was.Fetched {
			v.all.Add(month(), p.Comune, t.Given-was.Given, t.Fetched-was.Fetched)
		}
	}
	return edge.Saved{Months: append([]edge.SavedMonth{}, v.all.Months...)}
}

// run writes them down each minute, and at the end.
func (v *savings) run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var last []byte
	for {
		ended := false
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		data, err := json.MarshalIndent(v.now(), "", "  ")
		if err == nil && !bytes.Equal(data, last) {
			err = writeFile(v.file, ownerOnly, func(w io.Writer) error { _, err := w.Write(data); return err })
			last = data
		}
		if err != nil {
			v.s.log.Warn("what was saved cannot be written down", "err", err)
		}
		if ended {
			return nil
		}
	}
}

// mbps is what the link carries: as the controller says now, or as edge.yaml has
// it.
func (s *edgeServer) mbps() float64 {
	if now := s.watch.Stand().Mbps; now > 0 {
		return now
	}
	return s.policy.Mbps
}
