package page

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// People let employees in.
type People interface {
	Known(device string) (edge.Employee, bool)
	Enrol(code, pin string) (device string, in edge.Entry, err error)
	Enter(device, pin string) (in edge.Entry, err error)
	Who(session string, devices []string) (edge.Employee, bool)
	Leave(session string)
}

// Archive is a place of documents that is mirrored here.
type Archive struct {
	Name, Title string
	Documents   Documents
}

// Documents are what groups may find and open.
type Documents interface {
	Search(ctx context.Context, groups []string, query string, limit int) ([]edge.Hit, error)
	Recent(ctx context.Context, groups []string, limit int) ([]edge.Hit, error)
	Folder(ctx context.Context, groups []string, dir string, limit int) (edge.Listing, error)
	// Open gives a document whose bytes were compared with what was copied. One that
	// is not there and one that is another's are the same error.
	Open(ctx context.Context, groups []string, path string) (io.ReadSeekCloser, edge.Hit, int64, error)
	// Last is when the newest copy was taken, and of how many documents.
	Last() (time.Time, int)
}

// OfficeConfig is what the office is called and who does what in it.
type OfficeConfig struct {
	Place    string // for the head of pages: "Comune di Bergolo"
	Secure   bool   // over https
	Domain   string // of all services, where who is in is known as author; "" for none
	Register []string
	Writes   []string
	Zone     *time.Location
}

// OfficeDeps are what the office rests on.
type OfficeDeps struct {
	People   People
	Archives []Archive
	Books    Books  // nil: no register is kept here
	Writes   Writes // nil: none wait here
	Stand    func() edge.Stand
	Log      *slog.Logger
}

// Office are the pages on which employees read documents, keep the emergency
// register and decide conflicts, with or without a link.
type Office struct {
	cfg  OfficeConfig
	deps OfficeDeps
	mux  http.Handler
}

// NewOffice makes the pages.
func NewOffice(c OfficeConfig, d OfficeDeps) (*Office, error) {
	if c.Place == "" || d.People == nil || d.Stand == nil {
		return nil, fault.New(fault.Invalid, "office: place, people and stand are needed")
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	o := &Office{cfg: c, deps: d}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", o.in(o.home))
	mux.HandleFunc("POST /accesso", o.enter)
	mux.HandleFunc("POST /primo-accesso", o.enrol)
	mux.HandleFunc("POST /esci", o.leave)
	mux.HandleFunc("GET /cerca", o.in(o.search))
	mux.HandleFunc("GET /cartella", o.in(o.folder))
	mux.HandleFunc("GET /documento", o.in(o.document))
	mux.HandleFunc("GET /apri", o.in(o.open))
	if d.Books != nil {
		o.registerRoutes(mux)
	}
	if d.Writes != nil {
		o.writeRoutes(mux)
	}
	o.mux = http.NewCrossOriginProtection().Handler(mux)
	return o, nil
}

// ServeHTTP answers employees.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	o.mux.ServeHTTP(w, r)
}

// visit is one request of somebody who is in.
type visit struct {
	*Office
	w   http.ResponseWriter
	r   *http.Request
	who edge.Employee
}

// frame is what every page of somebody who is in shows around its own.
type frame struct {
	Title, Place, Here, Since string
	Trouble, Done             string
	Who                       edge.Employee
	Offline, Officer, Writer  bool
}

func (v *visit) frame(here, title string) frame {
	st := v.deps.Stand()
	f := frame{Title: title, Place: v.cfg.Place, Here: here, Who: v.who, Offline: st.Mode == edge.ModeOffline, Officer: v.officer(), Writer: v.deps.Writes != nil}
	f.Since = edge.SinceWords(st.Since.In(v.cfg.Zone), v.now())
	return f
}

func (o *Office) now() time.Time { return time.Now().In(o.cfg.Zone) }

// at is a moment in words; "–" where there is none.
func (o *Office) at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return edge.AtWords(t.In(o.cfg.Zone), o.now())
}

func (v *visit) officer() bool { return v.deps.Books != nil && v.among(v.cfg.Register) }

// among says whether who is in belongs to one of the groups.
func (v *visit) among(groups []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(v.who.Groups, g) })
}

// in lets through who is in; others are asked to enter.
func (o *Office) in(do func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, _ := r.Cookie(o.cookie("sessione"))
		if session != nil {
			if who, ok := o.deps.People.Who(session.Value, o.devices(r)); ok {
				do(&visit{o, w, r, who})
				return
			}
		}
		if r.Method != http.MethodGet {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		o.signIn(w, r, http.StatusOK, "")
	}
}

// fail says what did not go, in words.
func (v *visit) fail(here string, err error) {
	status, text := http.StatusInternalServerError, "Qualcosa non ha funzionato. Riprovi; se accade ancora, avvisi chi cura il nodo."
	switch fault.Of(err) {
	case fault.NotFound:
		status, text = http.StatusNotFound, "Non c’è, o non è tra i documenti che può leggere."
	case fault.Invalid:
		status, text = http.StatusBadRequest, "Quello che ha scritto non si può usare: controlli e riprovi."
	case fault.Conflict:
		status, text = http.StatusConflict, "Nel frattempo è cambiato qualcosa: guardi come sta ora."
	case fault.Denied:
		status, text = http.StatusForbidden, "Questo non è tra le cose che può fare."
	}
	if status == http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		v.deps.Log.Error("office", "path", v.r.URL.Path, "err", err)
	}
	f := v.frame(here, "Non è possibile")
	f.Trouble = text
	send(v.w, status, "plain.html", f)
}

// back sends the browser to a page of ours.
func (v *visit) back(path string) {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
}

// field is what somebody typed, without what surrounds it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

func link(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + q.Encode()
}
