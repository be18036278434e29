package page

import (
	"io"
	"mime"
	"net/http"
	"path"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Write is one that was kept while the link was down.
type Write struct {
	Number, Person, What, Reason, Official string
	State                                  edge.State
	Accepted, Expires                      string
	// Of a conflict: what theirs is.
	TheirsAbsent, TheirsPartial bool
	TheirsModified              string
	Events                      []WriteEvent
}

// WriteEvent is one transition.
type WriteEvent struct{ At, State, Reason string }

// Writes are what was kept and what became of it.
type Writes interface {
	// List are those of one person, or all for "", the newest first.
	List(person string) ([]Write, error)
	Show(number string) (Write, error)
	// Body is our version, or that of others in a conflict, with its media type.
	Body(number string, theirs bool) (io.ReadCloser, string, error)
	Resolve(number, keep, by string) error
	Cancel(number, by string) error
}

func (o *Office) writeRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /invii", o.in(o.writes))
	mux.HandleFunc("GET /invii/{number}", o.in(o.write))
	mux.HandleFunc("GET /invii/{number}/{version}", o.in(o.version))
	mux.HandleFunc("POST /invii/{number}/{act}", o.in(o.decide))
}

type writesPage struct {
	frame
	All  bool
	Rows []writeRow
}

type writeRow struct {
	Write
	Words    string
	Conflict bool
	Waiting  bool
}

func rowOf(w Write) writeRow {
	return writeRow{w, w.State.Words().It, w.State == edge.StateConflict, w.State == edge.StateQueued}
}

func (o *Office) writes(v *visit) {
	p := writesPage{frame: v.frame("invii", "Invii in attesa"), All: v.among(o.cfg.Writes)}
	whose := v.who.ID
	if p.All {
		whose = ""
	}
	all, err := o.deps.Writes.List(whose)
	if err != nil {
		v.fail("invii", err)
		return
	}
	for _, w := range all {
		p.Rows = append(p.Rows, rowOf(w))
	}
	send(v.w, http.StatusOK, "writes.html", p)
}

// mine is a write that who is in may see: their own, or any for whom decides.
func (v *visit) mine() (Write, error) {
	number := v.r.PathValue("number")
	w, err := v.deps.Writes.Show(number)
	if err != nil || w.Person != v.who.ID && !v.among(v.cfg.Writes) {
		return Write{}, fault.New(fault.NotFound, "write %.80q: it is not there, or not theirs", number)
	}
	return w, nil
}

type writePage struct {
	frame
	writeRow
}

func (o *Office) write(v *visit) { o.showWrite(v, http.StatusOK, "") }

func (o *Office) showWrite(v *visit, status int, trouble string) {
	w, err := v.mine()
	if err != nil {
		v.fail("invii", err)
		return
	}
	p := writePage{v.frame("invii", "Invio "+w.Number), rowOf(w)}
	p.Trouble = trouble
	send(v.w, status, "write.html", p)
}

// version gives one of the two versions of a conflict, only ever downloaded.
func (o *Office) version(v *visit) {
	w, err := v.mine()
	var body io.ReadCloser
	var kind string
	if which := v.r.PathValue("version"); err == nil && which != "nostra" && which != "altra" {
		err = fault.New(fault.NotFound, "%q is no version", which)
	}
	theirs := v.r.PathValue("version") == "altra"
	if err == nil {
		body, kind, err = o.deps.Writes.Body(w.Number, theirs)
	}
	if err != nil {
		v.fail("invii", err)
		return
	}
	defer body.Close()
	name := w.Number + map[bool]string{false: " versione inviata", true: " versione trovata"}[theirs]
	if ext, err := mime.ExtensionsByType(kind); err == nil && len(ext) > 0 {
		name += path.Ext(ext[0])
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if _, err := io.Copy(v.w, body); err != nil {
		panic(http.ErrAbortHandler) // what was damaged is cut, and seen to be
	}
}

// decide ends a conflict, or takes a write back.
func (o *Office) decide(v *visit) {
	w, err := v.mine()
	if err != nil {
		v.fail("invii", err)
		return
	}
	switch v.r.PathValue("act") {
	case "annulla":
		err = o.deps.Writes.Cancel(w.Number, v.who.ID)
	case "scegli":
		err = o.deps.Writes.Resolve(w.Number, map[string]string{"nostra": "mine", "altra": "theirs", "entrambe": "both"}[v.field("tieni")], v.who.ID)
	default:
		err = fault.New(fault.NotFound, "%q cannot be done", v.r.PathValue("act"))
	}
	switch kind := fault.Of(err); {
	case err == nil:
		v.back("/invii/" + w.Number)
	case kind == fault.Conflict:
		o.showWrite(v, http.StatusConflict, "Nel frattempo è cambiato qualcosa: guardi come sta ora.")
	case kind == fault.Refused:
		o.showWrite(v, http.StatusConflict, "Così non si può: scelga un’altra delle possibilità.")
	case kind == fault.Invalid:
		o.showWrite(v, http.StatusBadRequest, "Scelga che cosa tenere.")
	default:
		v.fail("invii", err)
	}
}
