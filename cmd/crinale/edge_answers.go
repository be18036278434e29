package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/page"
	"github.com/crinale/crinale/edge/store"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// standing is what the status page shows.
func (s *edgeServer) standing() page.Standing {
	st := s.store.Stats()
	given, _ := s.savings().Of(month())
	out := page.Standing{Saved: given, Mbps: s.mbps(), Name: s.policy.Name, Stand: s.watch.Stand(), Stored: st.Disk, Objects: int64(st.Objects), Spent: s.ways.Spent(), Waiting: s.waiting()}
	if s.channel != nil {
		st := s.channel.State()
		out.Heard = &page.Heard{Connected: st.Connected, Since: st.Since, Said: st.Said}
	}
	if v := s.policy.Second; v != nil {
		out.Cap = int64(v.CapGB * 1e9)
	}
	for i := range s.policy.Services {
		v := &s.policy.Services[i]
		r := v.Rules().Offline
		out.Services = append(out.Services, page.Service{Host: v.Host, Offline: string(r.Rule), Until: r.Until, Lost: s.proxy.Lost(v.Host)})
	}
	return out
}

// savings are what was saved until now.
func (s *edgeServer) savings() *edge.Saved {
	if s.saved == nil { // not open yet
		return &edge.Saved{}
	}
	all := s.saved.now()
	return &all
}

// waiting is how many writes wait to be sent.
func (s *edgeServer) waiting() int {
	st, err := s.queue.Stats()
	if err != nil {
		return 0 // not open yet, or not any more
	}
	return st.States[edge.StateQueued] + st.States[edge.StateSending]
}

// status is what edge status prints.
func (s *edgeServer) status() edgeStanding {
	stand, st := s.watch.Stand(), s.store.Stats()
	out := edgeStanding{
		Name: s.policy.Name, Comune: s.policy.Comune, Mode: stand.Mode.String(), Way: stand.Way.String(), Since: stand.Since.UTC(), Why: stand.Why, Waiting: s.waiting(),
		Controller: s.heard(),
		Store: edgeStore{
			Objects: int64(st.Objects), Bytes: st.Disk, MostB: int64(s.policy.Store.MostGB * 1e9), Evicted: st.Evicted, Stored: st.Stored,
			Faults: st.Write + st.Index, Damaged: st.Damaged + st.ScrubBad, MemoryN: st.HitsRAM, DiskN: st.HitsDisk, MissesN: st.Misses, Pending: st.Pending,
		},
	}
	out.Saved.Months = s.savings().Months
	out.Saved.Given, out.Saved.Fetched = s.savings().Of(month())
	out.Saved.Minutes = edge.LinkMinutes(out.Saved.Given, s.mbps())
	for _, v := range s.policy.Services {
		t := s.proxy.Tally(v.Host)
		e := edgeService{Host: v.Host, Comune: v.Comune, Offline: v.Offline.Rule, Requests: t.Requests, Hits: t.Hits, GivenB: t.Given, FetchedB: t.Fetched, StoredB: st.Services[v.Host]}
		if lost := s.proxy.Lost(v.Host); !lost.IsZero() {
			lost = lost.UTC()
			e.LostSince = &lost
		}
		out.Services = append(out.Services, e)
	}
	if v := s.policy.Second; v != nil {
		out.Saved.Euro = float64(out.Saved.Given) / 1e9 * v.EuroPerGB
		out.Second = &edgeSecond{SpentB: s.ways.Spent(), CapB: int64(v.CapGB * 1e9), EuroPerGB: v.EuroPerGB, Euro: float64(s.ways.Spent()) / 1e9 * v.EuroPerGB}
	}
	return out
}

// commands are what the verbs on this machine ask. The socket is the owner's
// alone.
func (s *edgeServer) commands() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /edge/status", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, s.status()) })
	mux.HandleFunc("POST /edge/word", func(w http.ResponseWriter, r *http.Request) {
		var word edgeWord
		if !readJSON(w, r, &word) {
			return
		}
		s.watch.Tell(edge.Word{At: time.Now(), Hand: true, Up: word.Up, Narrow: word.Narrow, Mbps: word.Mbps})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /edge/purge", func(w http.ResponseWriter, r *http.Request) {
		var o edgePurgeOrder
		if !readJSON(w, r, &o) {
			return
		}
		n, err := s.purge(o)
		if err != nil {
			answerProblem(w, err)
			return
		}
		s.log.Info("purged", "service", o.Service, "count", n)
		answerJSON(w, http.StatusOK, edgePurged{n})
	})
	s.queueRoutes(mux)
	s.peopleRoutes(mux)
	s.warmRoutes(mux)
	return mux
}

func (s *edgeServer) purge(o edgePurgeOrder) (int, error) {
	if o.Service != "" && !slices.ContainsFunc(s.policy.Services, func(v edge.ServicePolicy) bool { return v.Host == o.Service }) {
		return 0, fault.New(fault.NotFound, "%q is no service of this edge", o.Service)
	}
	return s.store.Purge(store.Purge{Address: o.Address, Prefix: o.Prefix, Tag: o.Tag})
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		answerProblem(w, fault.New(fault.Invalid, "the request cannot be read: %w", err))
		return false
	}
	return true
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func answerProblem(w http.ResponseWriter, err error) {
	status := map[fault.Kind]int{fault.Invalid: 400, fault.NotFound: 404, fault.Conflict: 409, fault.Denied: 403}[fault.Of(err)]
	if status == 0 {
		status = 500
	}
	answerJSON(w, status, web.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error(), Kind: fault.Of(err).String()})
}
