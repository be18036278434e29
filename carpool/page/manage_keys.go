package page

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Operator is another carpooling service that may ask the portal with a key.
type Operator struct {
	ID      string   // its domain: "covoiturage.example"
	Name    string   // as people call it
	Scopes  []string // of OperatorScopes
	Webhook string   // where it is told of bookings; "" nowhere
	Added   time.Time
	Rotated time.Time // when its newest key was made
	Revoked bool
}

// OperatorScopes are the things that an operator may do.
var OperatorScopes = []string{"search", "book", "message", "event", "own"}

// Operators keeps the keys of other services. Add and Rotate give the key,
// which is told once; after Rotate the old one goes on for keep.
type Operators interface {
	List(ctx context.Context) ([]Operator, error)
	Add(ctx context.Context, o Operator) (key string, err error)
	Rotate(ctx context.Context, id string, keep time.Duration) (key string, err error)
	Revoke(ctx context.Context, id string) error
}

const (
	keysPath = managePath + "/chiavi"
	oldKey   = 7 * 24 * time.Hour // that a key goes on beside the new one
)

type operatorRow struct {
	Operator
	URL    string
	Scopes []string // in words
}

type keysView struct {
	Trouble           *staffTrouble
	Done              string
	Key, KeyOf        string // told once
	Rows              []operatorRow
	Once              string
	ID, Name, Webhook staffField
	Scopes            []staffField
	ScopesWrong       string
}

// operators is the keeper of keys, where there is one.
func (s *Staff) operators() (Operators, error) {
	if s.deps.Operators == nil {
		return nil, fault.New(fault.NotFound, "this server has no interface for other operators")
	}
	return s.deps.Operators, nil
}

func (s *Staff) keysPage(w http.ResponseWriter, r *http.Request) error {
	return s.showKeys(w, r, s.blank(r), "", "")
}

func (s *Staff) showKeys(w http.ResponseWriter, r *http.Request, f *staffForm, id, key string) error {
	ops, err := s.operators()
	if err != nil {
		return err
	}
	list, err := ops.List(r.Context())
	if err != nil {
		return err
	}
	p := s.of(r)
	v := keysView{Trouble: f.trouble(), Done: p.known("manage.done." + r.URL.Query().Get("fatto")), Key: key, KeyOf: id, Once: newOnce(), ScopesWrong: f.wrong["puo"],
		ID: f.field("text", "dominio", "manage.keys.id").most(100), Name: f.field("text", "nome", "manage.keys.name").most(100),
		Webhook: f.field("text", "indirizzo", "manage.keys.webhook").most(300).optional()}
	for _, scope := range OperatorScopes {
		v.Scopes = append(v.Scopes, f.field("check", "puo-"+scope, "manage.keys.scope."+scope))
	}
	for _, o := range list {
		row := operatorRow{Operator: o, URL: keysPath + "/" + url.PathEscape(o.ID)}
		for _, scope := range o.Scopes {
			row.Scopes = append(row.Scopes, p.known("manage.keys.scope."+scope))
		}
		v.Rows = append(v.Rows, row)
	}
	return s.managed(w, r, f.status(), "manage-keys.html", "manage.keys.title", v)
}

func (s *Staff) addKey(w http.ResponseWriter, r *http.Request) error {
	ops, err := s.operators()
	if err != nil {
		return err
	}
	known := []string{"dominio", "nome", "indirizzo", "once"}
	for _, scope := range OperatorScopes {
		known = append(known, "puo-"+scope)
	}
	f, err := s.form(r, known...)
	if err != nil {
		return err
	}
	o := Operator{ID: f.must("dominio"), Name: f.must("nome"), Webhook: f.get("indirizzo")}
	for _, scope := range OperatorScopes {
		if f.on("puo-" + scope) {
			o.Scopes = append(o.Scopes, scope)
		}
	}
	if len(o.Scopes) == 0 {
		f.bad("puo", "manage.wrong.scopes")
	}
	if u, err := url.Parse(o.Webhook); o.Webhook != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		f.bad("indirizzo", "manage.wrong.webhook")
	}
	key := ""
	if f.ok() {
		if key, err = ops.Add(r.Context(), o); err == nil {
			f = s.blank(r)
		} else if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showKeys(w, r, f, o.ID, key)
}

func (s *Staff) rotateKey(w http.ResponseWriter, r *http.Request) error {
	ops, err := s.operators()
	if err != nil {
		return err
	}
	f, err := s.form(r, "once")
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	key, err := ops.Rotate(r.Context(), id, oldKey)
	if err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showKeys(w, r, f, id, key)
}

func (s *Staff) revokeKey(w http.ResponseWriter, r *http.Request) error {
	ops, err := s.operators()
	if err != nil {
		return err
	}
	f, err := s.form(r, "once", "certo")
	if err != nil {
		return err
	}
	if !f.on("certo") {
		f.refuse("manage.keys.tick")
		return s.showKeys(w, r, f, "", "")
	}
	if err := ops.Revoke(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return seeOther(w, r, keysPath+"?fatto=revocata")
}
