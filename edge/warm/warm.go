// Package warm fetches what employees will want before they ask for it, at hours
// and within bounds that cost nobody anything.
package warm

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// List is what is fetched of one service.
type List struct {
	Host    string
	URLs    []string // paths
	Sitemap string   // path of one, or ""
	Window  edge.Window
	Budget  int64 // bytes from the origin in one window; 0: any
}

// Config is how lists are gone through. Begin with Default.
type Config struct {
	Lists    []List
	Every    time.Duration // how often it is looked whether a window has begun
	Touched  time.Duration // what was asked for since then is fetched first
	MostURLs int           // of one list in one window
	Zone     *time.Location
}

// Default looks each minute, and first fetches what was asked for in a week.
func Default() Config {
	return Config{Every: time.Minute, Touched: 7 * 24 * time.Hour, MostURLs: 5000, Zone: time.Local}
}

// Deps are what a Warmer rests on.
type Deps struct {
	// Ask answers requests as the edge does: all rules of the cache hold, so what is
	// stored and old is asked for by its ETag.
	Ask http.Handler
	// Used are the paths of a service that were given since a time, the last first.
	Used  func(host string, since time.Time, most int) ([]string, error)
	Stand func() edge.Stand
	Log   *slog.Logger
}

// Report is what one run came to.
type Report struct {
	Host    string    `json:"host"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Planned int       `json:"planned"`
	Asked   int       `json:"asked"`
	Fresh   int       `json:"fresh"`   // already here
	Same    int       `json:"same"`    // asked for by its ETag, and unchanged
	Stored  int       `json:"stored"`  // new, or changed
	Refused int       `json:"refused"` // not to be kept, or an error
	Bytes   int64     `json:"bytes"`   // from the origin
	Why     string    `json:"why"`     // it ended
}

// Warmer goes through lists.
type Warmer struct {
	cfg  Config
	deps Deps

	one  sync.Mutex // run at a time
	mu   sync.Mutex
	done map[string]string // by list: the day of the last window
	last map[string]Report // by host
}

// New makes a warmer.
func New(c Config, d Deps) (*Warmer, error) {
	if d.Ask == nil || d.Used == nil || d.Stand == nil || c.Every <= 0 || c.MostURLs <= 0 || c.Zone == nil {
		return nil, fault.New(fault.Invalid, "warm: ask, used, stand, every, most and zone are needed: begin with Default()")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Warmer{cfg: c, deps: d, done: map[string]string{}, last: map[string]Report{}}, nil
}

// Reports are the last run of each service.
func (w *Warmer) Reports() []Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := []Report{}
	for _, l := range w.cfg.Lists {
		if r, ok := w.last[l.Host]; ok && (len(out) == 0 || out[len(out)-1].Host != l.Host) {
			out = append(out, r)
		}
	}
	return out
}

// Run goes through each list once in each of its windows, until ctx ends.
func (w *Warmer) Run(ctx context.Context) error {
	tick := time.NewTicker(w.cfg.Every)
	defer tick.Stop()
	for {
		for i := range w.cfg.Lists {
			l := &w.cfg.Lists[i]
			name := fmt.Sprintf("%d %s", i, l.Host)
			day, ok := l.Window.Of(time.Now().In(w.cfg.Zone))
			if ctx.Err() != nil || !ok || w.done[name] == day || w.deps.Stand().Mode != edge.ModeOnline {
				continue
			}
			// One that the link breaks off is begun again: what is here stays fresh.
			if r := w.goThrough(ctx, l); r.Why != cutOff && ctx.Err() == nil {
				w.done[name] = day
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Now goes through the lists of a service, or of all for "", whatever the hour.
func (w *Warmer) Now(ctx context.Context, host string) ([]Report, error) {
	if s := w.deps.Stand(); s.Mode != edge.ModeOnline {
		return nil, fault.New(fault.Conflict, "warm: the edge is %s (%s): nothing is fetched now that somebody may wait for", s.Mode, s.Why)
	}
	out := []Report{}
	for i := range w.cfg.Lists {
		if l := &w.cfg.Lists[i]; host == "" || host == l.Host {
			out = append(out, w.goThrough(ctx, l))
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "warm: %q has no warm list in edge.yaml", host)
	}
	return out, nil
}

// Why a run ended.
const (
	complete = "all was asked for"
	spent    = "the budget of bytes is used up"
	over     = "the window is over"
	cutOff   = "the link is needed, narrow or down"
	stopped  = "it was stopped"
)

// goThrough goes through one list.
func (w *Warmer) goThrough(ctx context.Context, l *List) Report {
	w.one.Lock()
	defer w.one.Unlock()
	r := Report{Host: l.Host, Began: time.Now(), Why: complete}
	note := func() {
		w.mu.Lock()
		w.last[l.Host] = r
		w.mu.Unlock()
	}
	started, inWindow := l.Window.Of(r.Began.In(w.cfg.Zone))
	todo := w.plan(ctx, l, &r)
	r.Planned = len(todo)
	for _, path := range todo {
		note()
		day, in := l.Window.Of(time.Now().In(w.cfg.Zone))
		switch {
		case ctx.Err() != nil:
			r.Why = stopped
		case l.Budget > 0 && r.Bytes >= l.Budget:
			r.Why = spent
		case inWindow && (!in || day != started):
			r.Why = over
		case w.deps.Stand().Mode != edge.ModeOnline:
			r.Why = cutOff
		}
		if r.Why != complete {
			break
		}
		w.ask(ctx, l, path, &r, nil)
	}
	r.Ended = time.Now()
	note()
	w.deps.Log.Info("warm", "service", l.Host, "asked", r.Asked, "stored", r.Stored, "bytes", r.Bytes, "why", r.Why)
	return r
}

// plan is what to ask for, in order and each once: what was touched, then the list,
// then what the sitemap names.
func (w *Warmer) plan(ctx context.Context, l *List, r *Report) []string {
	used, err := w.deps.Used(l.Host, time.Now().Add(-w.cfg.Touched), w.cfg.MostURLs)
	if err != nil {
		w.deps.Log.Warn("warm: what was asked for lately is not known", "service", l.Host, "err", err)
	}
	all := append(used, l.URLs...)
	maps := []string{}
	if l.Sitemap != "" {
		maps = append(maps, l.Sitemap)
	}
	for i := 0; i < len(maps) && i < 50 && len(all) < 2*w.cfg.MostURLs; i++ {
		var body bytes.Buffer
		w.ask(ctx, l, maps[i], r, &body)
		m, err := edge.ParseSitemap(&body, l.Host)
		if err != nil {
			w.deps.Log.Warn("warm", "service", l.Host, "sitemap", maps[i], "err", err)
		}
		all, maps = append(all, m.Pages...), append(maps, m.Maps...)
	}
	seen := map[string]bool{}
	var out []string
	for _, path := range all {
		if len(out) < w.cfg.MostURLs && !seen[path] && strings.HasPrefix(path, "/") {
			seen[path] = true
			out = append(out, path)
		}
	}
	return out
}

// ask asks for one path as a browser would, no faster than background may go.
func (w *Warmer) ask(ctx context.Context, l *List, path string, r *Report, keep *bytes.Buffer) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Host+path, nil)
	if err != nil {
		r.Refused++
		return
	}
	q.Host, q.RequestURI, q.RemoteAddr = l.Host, path, "warm"
	q.Header.Set("Accept", "text/html,*/*")
	q.Header.Set("User-Agent", "crinale-warm")
	if keep == nil {
		q.Header.Set("Accept-Encoding", "gzip, deflate, br")
	}
	a := &answer{ctx: ctx, head: http.Header{}, rate: func() int64 { return w.deps.Stand().Background() }, keep: keep}
	func() {
		defer func() { // the proxy ends a cut answer so
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			} else if p != nil {
				a.status = http.StatusBadGateway
			}
		}()
		w.deps.Ask.ServeHTTP(a, q)
	}()
	r.Asked++
	said := a.head.Get("Cache-Status")
	switch {
	case a.status != http.StatusOK && a.status != 0:
		r.Refused++
	case strings.Contains(said, "; hit"):
		r.Fresh++
		return
	case strings.Contains(said, "fwd-status=304"):
		r.Same++
		return
	case strings.Contains(said, "; stored"):
		r.Stored++
	default:
		r.Refused++
	}
	r.Bytes += a.bytes
}
