package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// stateEvent is what an event stream tells of a link.
type stateEvent struct {
	Link   network.LinkID     `json:"link"`
	Status network.LinkStatus `json:"status"`
}

// events is /rete/eventi, server-sent events: "state" when the status of a
// link changed, "reading" when the link named by ?link= was read, "alert" when
// one opened or closed. A browser that is too slow loses the oldest ones; they
// only say that something is new, so it asks for the page and has all. A
// stream tells what its asker may read, and ends with their right to it, at the
// next beat, and after Config.Stay.
func (p *Pages) events(w http.ResponseWriter, r *http.Request) error {
	select {
	case p.streams <- struct{}{}:
		defer p.leave()
	default:
		p.full(w)
		return nil
	}
	who := web.Who(r.Context())
	if !p.crowd.enter(who.Person, p.cfg.Own) {
		p.refuse(w, fmt.Sprintf("%s has %d event streams open, no more are given", who.Person, p.cfg.Own))
		return nil
	}
	defer p.crowd.leave(who.Person)
	in := p.sightOf(who)
	only := network.LinkID(r.URL.Query().Get("link"))
	if _, ok := in.net.Link(only); only != "" && !ok {
		return fault.New(fault.NotFound, "no link named %q", only)
	}
	states := p.deps.Changes.States().Subscribe(256)
	defer states.Close()
	alerts := p.deps.Changes.AlertEvents().Subscribe(32)
	defer alerts.Close()
	last := map[network.LinkID]network.LinkStatus{}
	for _, s := range in.linkStates() {
		last[s.Link] = s.Status
	}

	ctl := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold it back
	send := func(text string) error {
		// A browser that takes nothing for this long is gone.
		if err := ctl.SetWriteDeadline(time.Now().Add(2 * p.cfg.Beat)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return ctl.Flush()
	}
	if send("retry: 5000\n\n") != nil {
		return nil
	}
	beat := time.NewTicker(p.cfg.Beat)
	defer beat.Stop()
	over := time.NewTimer(p.cfg.Stay)
	defer over.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-web.Closing(r.Context()):
			return nil
		case <-over.C:
			return nil
		case <-beat.C:
			if !web.Still(r.Context()) {
				return nil // signed out, locked or of other roles since
			}
			err = send(": still here\n\n")
		case s := <-states.C:
			if _, ok := in.net.Link(s.Link); !ok {
				continue
			}
			kind := "state"
			if last[s.Link] == s.Status {
				if s.Link != only || only == "" {
					continue
				}
				kind = "reading"
			}
			last[s.Link] = s.Status
			err = send(event(kind, stateEvent{s.Link, s.Status}))
		case a := <-alerts.C:
			if !in.concerns(a.Alert) {
				continue
			}
			err = send(event("alert", struct {
				Change string `json:"change"`
				Alert  string `json:"alert"`
			}{string(a.Change), a.Alert.ID}))
		}
		if err != nil {
			return nil // the browser has gone
		}
	}
}

// full refuses a stream. Browsers ask again and again, so the log says it once,
// when it begins, and again only after half of them have ended.
func (p *Pages) full(w http.ResponseWriter) {
	if p.crowded.CompareAndSwap(false, true) {
		p.log.Warn("all event streams are taken, more are refused", "open", p.cfg.Streams)
	}
	p.refuse(w, fmt.Sprintf("%d event streams are open, no more are given", p.cfg.Streams))
}

func (p *Pages) refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "30")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// leave ends a stream.
func (p *Pages) leave() {
	<-p.streams
	if len(p.streams) <= cap(p.streams)/2 {
		p.crowded.Store(false)
	}
}

func event(kind string, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return "event: " + kind + "\ndata: " + string(b) + "\n\n"
}
