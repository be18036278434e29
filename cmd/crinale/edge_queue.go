package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/page"
	"github.com/crinale/crinale/edge/queue"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// edgeLink tells the queue whether the way is there.
type edgeLink struct {
	watch   *edge.Watch
	changed chan struct{}
}

func (l *edgeLink) Up() bool                 { return l.watch.Stand().Mode != edge.ModeOffline }
func (l *edgeLink) Changed() <-chan struct{} { return l.changed }

func (l *edgeLink) turned() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Allowed asks again, before it is sent, whether whoever wrote something may still
// do it; what came from nobody by name is for the origin to judge.
func (s *edgeServer) Allowed(_ context.Context, p edge.Person, e queue.Entry) (bool, string, error) {
	if p.ID == "" {
		return true, "", nil
	}
	if s.people == nil {
		return false, "this edge has no reader any more, and knows nobody", nil
	}
	var groups []string
	for _, v := range s.policy.Services {
		for _, r := range v.Writes {
			if v.Host == e.Service && r.Name == e.Rule {
				groups = r.Groups
			}
		}
	}
	ok, why := s.people.Allowed(p.ID, groups)
	return ok, why, nil
}

// newQueue makes the queue of an edge.
func (s *edgeServer) newQueue(dir string, key func(string) ([]byte, bool)) (*queue.Queue, error) {
	c := queue.Default()
	c.Dir, c.Jitter = dir, 8*time.Second
	for i := range s.policy.Services {
		v := &s.policy.Services[i]
		u, err := v.OriginURL()
		if err != nil {
			return nil, err
		}
		c.Origins = append(c.Origins, queue.Origin{Service: v.Host, URL: u})
	}
	return queue.New(c, queue.Deps{Link: s.link, Allow: s, Keys: queueKeys{s.policy.Comune, key}, Transport: s.ways, Log: s.log})
}

// queueKeys is the key of the comune of the edge, by whatever name.
type queueKeys struct {
	comune string
	key    func(string) ([]byte, bool)
}

func (k queueKeys) Key(string) ([]byte, bool) { return k.key(k.comune) }

// unsent keeps a write that cannot be sent now, where a rule of its service lets
// it wait, and answers either way.
func (s *edgeServer) unsent(w http.ResponseWriter, r *http.Request, host string) bool {
	var rules edge.WriteRules
	for _, v := range s.policy.Services {
		if v.Host == host {
			rules = v.Writes
		}
	}
	rule := rules.Find(r.Method, r.URL.EscapedPath())
	author, _ := r.Context().Value(authorKey{}).(edge.Person)
	_, sealed := s.queueKey()
	req := edge.WriteRequest{Method: r.Method, Path: r.URL.EscapedPath(), Header: r.Header, Length: r.ContentLength, NewKey: rand.Text(), Sealed: sealed, Person: author}
	for _, o := range s.store.Find(host + r.URL.RequestURI()) {
		req.Seen = o.Head().Header.Get("Etag")
		break
	}
	d := edge.DecideWrite(rule, req)
	if d.Act != edge.QueueWrite {
		s.unkept(w, r, http.StatusServiceUnavailable, d.Reason)
		return true
	}
	got, err := s.queue.Accept(r.Context(), queue.Write{
		Comune: strings.ToUpper(s.policy.Name), Service: host, Method: r.Method, Target: r.URL.RequestURI(), Header: r.Header,
		Person: author, Decision: d, MaxBody: rule.MaxBody, Body: r.Body,
	})
	switch {
	case errors.Is(err, queue.ErrQuota):
		s.unkept(w, r, http.StatusServiceUnavailable, edge.ReasonQuota)
	case errors.Is(err, queue.ErrBody):
		s.unkept(w, r, http.StatusRequestEntityTooLarge, edge.ReasonBody)
	case fault.Of(err) == fault.Conflict && err != nil:
		s.unkept(w, r, http.StatusConflict, edge.ReasonBadKey)
	case err != nil:
		s.log.Error("a write could not be kept", "service", host, "err", err)
		s.unkept(w, r, http.StatusServiceUnavailable, edge.ReasonNoRule)
	default:
		s.receipt(w, r, got)
	}
	return true
}

func (s *edgeServer) queueKey() ([]byte, bool) { return s.key(s.policy.Comune) }

// receipt says by what number a write waits.
func (s *edgeServer) receipt(w http.ResponseWriter, r *http.Request, got queue.Receipt) {
	words := edge.ReasonQueued.Words()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Crinale-Receipt", got.Number)
	if !edge.TakesHTML(r.Header) {
		answerJSON(w, http.StatusAccepted, got)
		return
	}
	page.Say(w, http.StatusAccepted, page.Note{Title: "Ricevuto: in attesa di invio", Text: words.It, English: words.En, Number: got.Number,
		At: got.At.In(zone.Rome()).Format(dayAndHour), Expires: got.Expires.In(zone.Rome()).Format("02/01/2006")})
}

// unkept says why a write is not kept.
func (s *edgeServer) unkept(w http.ResponseWriter, r *http.Request, status int, why edge.Reason) {
	words := why.Words()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", "60")
	if !edge.TakesHTML(r.Header) {
		answerJSON(w, status, map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": words.En, "reason": why})
		return
	}
	page.Say(w, status, page.Note{Title: "Non è stato possibile inviare", Text: words.It + " I dati che ha inviato non sono stati registrati.", English: words.En + " What you sent was not recorded."})
}

// queueRoutes are what the verbs of edge queue ask.
func (s *edgeServer) queueRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /edge/queue", func(w http.ResponseWriter, r *http.Request) {
		all, err := s.queue.List(queue.Filter{Limit: 1000})
		if err != nil {
			answerProblem(w, err)
			return
		}
		answerJSON(w, http.StatusOK, map[string]any{"writes": all})
	})
	mux.HandleFunc("GET /edge/queue/{number}", func(w http.ResponseWriter, r *http.Request) {
		e, events, err := s.queue.Show(r.PathValue("number"))
		if err != nil {
			answerProblem(w, err)
			return
		}
		answerJSON(w, http.StatusOK, queuedWrite{e, events})
	})
	mux.HandleFunc("POST /edge/queue/{number}/cancel", func(w http.ResponseWriter, r *http.Request) {
		if err := s.queue.Cancel(r.PathValue("number"), ownerName()); err != nil {
			answerProblem(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /edge/queue/{number}/resolve", func(w http.ResponseWriter, r *http.Request) {
		var o struct {
			Keep queue.Keep `json:"keep"`
		}
		if !readJSON(w, r, &o) {
			return
		}
		e, err := s.queue.Resolve(r.PathValue("number"), o.Keep, ownerName())
		if err != nil {
			answerProblem(w, err)
			return
		}
		answerJSON(w, http.StatusOK, e)
	})
}

type queuedWrite struct {
	queue.Entry
	Events []queue.Event `json:"events"`
}

func edgeQueueCommand(data cli.Flag) *cli.Command {
	flags := []cli.Flag{data, jsonFlag()}
	return &cli.Command{
		Name:  "queue",
		Usage: "writes that wait for the link, and what became of them",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all that is kept, the oldest first", Flags: flags, Action: queueList},
			{Name: "show", Usage: "one write, with all that happened to it", ArgsUsage: "NUMBER", Flags: flags, Action: queueShow},
			{Name: "cancel", Usage: "take a write back that was not sent yet", ArgsUsage: "NUMBER", Flags: flags[:1], Action: queueCancel},
			{Name: "resolve", Usage: "decide a conflict: keep mine, theirs or both", ArgsUsage: "NUMBER mine|theirs|both", Flags: flags, Action: queueResolve},
		},
	}
}

func queueList(c *cli.Context) error {
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	var all struct {
		Writes []queue.Entry `json:"writes"`
	}
	if err := cl.call(c.Context, "GET", "/edge/queue", nil, &all); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	if len(all.Writes) == 0 {
		fmt.Fprintln(c.App.Writer, "Nothing waits, and nothing has waited.")
		return nil
	}
	rows := [][]string{{"NUMBER", "STATE", "SINCE", "WRITE"}}
	for _, e := range all.Writes {
		rows = append(rows, []string{e.Number, string(e.State), e.Accepted.Local().Format("02/01 15:04"), clip(e.Method+" "+e.Service+e.Target, 34)})
	}
	return table(c.App.Writer, rows)
}

// call asks about the write that the first argument names.
func (c numbered) call(method, rest string, in, into any) error {
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	return cl.call(c.Context.Context, method, "/edge/queue/"+url.PathEscape(c.Args().First())+rest, in, into)
}

// numbered is a verb whose first argument is the number of a write.
type numbered struct{ *cli.Context }

func queueShow(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("give the number on the receipt")
	}
	var e queuedWrite
	if err := (numbered{c}).call("GET", "", nil, &e); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, e)
	}
	w := c.App.Writer
	fmt.Fprintf(w, "%s: %s\n  %s %s%s, %d bytes\n", e.Number, e.State, e.Method, e.Service, e.Target, e.Entry.Body.Bytes)
	for _, v := range e.Events {
		fmt.Fprintf(w, "  %s  %-10s %s\n", v.At.Local().Format("02/01/2006 15:04:05"), v.To, v.Reason)
	}
	if e.State == edge.StateConflict {
		fmt.Fprintf(w, "Somebody changed the same meanwhile. Decide: crinale edge queue resolve %s mine|theirs|both\n", e.Number)
	}
	return nil
}

func queueCancel(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("give the number on the receipt")
	}
	return numbered{c}.call("POST", "/cancel", nil, nil)
}

func queueResolve(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage("give the number on the receipt, and mine, theirs or both")
	}
	var e queue.Entry
	if err := (numbered{c}).call("POST", "/resolve", map[string]string{"keep": c.Args().Get(1)}, &e); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, e)
	}
	fmt.Fprintf(c.App.Writer, "%s: %s\n", e.Number, e.State)
	return nil
}
