package page

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// listedKinds in the order of the form.
var listedKinds = []string{"association", "on-call-bus", "taxi"}

const listPath = managePath + "/elenco"

type listedRow struct {
	carpool.Listed
	ComuneName, KindName, URL string
}

type listedView struct {
	Trouble                  *staffTrouble
	Action, Done, CSV        string
	Rows                     []listedRow
	Editing                  *listedRow
	Once                     string
	Name, Phone, Kind, Hours staffField
	Comune, Order            staffField
}

// listedPage is /passaggi/gestione/elenco: whom to call when no neighbour
// drives.
func (s *Staff) listedPage(w http.ResponseWriter, r *http.Request) error {
	return s.showListed(w, r, s.blank(r, "ordine", "10"), nil)
}

// oneListed is the same with an entry of it in the form.
func (s *Staff) oneListed(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listed(r)
	if err != nil {
		return err
	}
	f := s.blank(r, "nome", l.Name, "telefono", l.Phone, "tipo", l.Kind, "orari", l.Hours, "comune", l.Comune, "ordine", strconv.Itoa(l.Order))
	return s.showListed(w, r, f, &l)
}

// listed is the entry of the path.
func (s *Staff) listed(r *http.Request) (carpool.Listed, error) {
	id := r.PathValue("id")
	list, err := s.deps.Points.Listed(r.Context(), "")
	if err != nil {
		return carpool.Listed{}, err
	}
	i := slices.IndexFunc(list, func(l carpool.Listed) bool { return l.ID == id })
	if i < 0 {
		return carpool.Listed{}, outside("entry of the list", id)
	}
	return list[i], nil
}

func (s *Staff) showListed(w http.ResponseWriter, r *http.Request, f *staffForm, editing *carpool.Listed) error {
	p, ctx := s.of(r), r.Context()
	list, err := s.deps.Points.Listed(ctx, "")
	if err != nil {
		return err
	}
	v := listedView{Action: listPath, Trouble: f.trouble(), Done: p.known("manage.done." + r.URL.Query().Get("fatto")), Once: newOnce(), CSV: listPath + ".csv"}
	slices.SortStableFunc(list, func(a, b carpool.Listed) int {
		return cmp.Or(strings.Compare(a.Comune, b.Comune), cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name))
	})
	for _, l := range list {
		v.Rows = append(v.Rows, p.listedRow(l))
	}
	if editing != nil {
		row := p.listedRow(*editing)
		v.Editing, v.Action = &row, row.URL
	}
	var kinds []staffOption
	for _, k := range listedKinds {
		kinds = append(kinds, staffOption{Value: k, Text: p.word("manage.listed." + k)})
	}
	v.Name, v.Phone = f.field("text", "nome", "manage.listed.name").most(80), f.field("tel", "telefono", "manage.listed.phone").most(25)
	v.Kind, v.Hours = f.field("select", "tipo", "manage.listed.kind", kinds...), f.field("text", "orari", "manage.listed.hours").most(120)
	v.Comune = f.field("select", "comune", "manage.listed.comune", p.comuneOptions(ctx, login.ManageCarpool, p.word("manage.listed.all"))...).optional()
	v.Order = f.field("number", "ordine", "manage.listed.order").most(3)
	return s.managed(w, r, f.status(), "manage-list.html", "manage.list.title", v)
}

func (p speech) listedRow(l carpool.Listed) listedRow {
	row := listedRow{Listed: l, KindName: p.known("manage.listed." + l.Kind), ComuneName: p.word("manage.listed.all"), URL: listPath + "/" + l.ID}
	if l.Comune != "" {
		row.ComuneName = p.comuneName(l.Comune)
	}
	return row
}

// putListed adds an entry, or changes the one of the path.
func (s *Staff) putListed(w http.ResponseWriter, r *http.Request) error {
	var editing *carpool.Listed
	if r.PathValue("id") != "" {
		l, err := s.listed(r)
		if err != nil {
			return err
		}
		editing = &l
	}
	f, err := s.form(r, "nome", "telefono", "tipo", "orari", "comune", "ordine", "once")
	if err != nil {
		return err
	}
	l := carpool.Listed{Name: f.must("nome"), Phone: f.must("telefono"), Kind: f.must("tipo"), Hours: f.must("orari"), Comune: f.get("comune")}
	if l.Kind != "" && !slices.Contains(listedKinds, l.Kind) {
		f.bad("tipo", "desk.wrong.choose")
	}
	if _, known := s.deps.Union.Comune(l.Comune); l.Comune != "" && !known {
		f.bad("comune", "desk.wrong.choose")
	}
	if l.Order, err = strconv.Atoi(f.must("ordine")); err != nil || l.Order < 0 || l.Order > 999 {
		f.bad("ordine", "manage.wrong.order")
	}
	if editing != nil {
		l.ID = editing.ID
	}
	if f.ok() {
		if _, err := s.deps.Points.PutListed(r.Context(), staffBy(r.Context()), l); err == nil {
			return seeOther(w, r, listPath+"?fatto=salvato")
		} else if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showListed(w, r, f, editing)
}

// dropListed takes an entry away. One that is gone already is gone.
func (s *Staff) dropListed(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.form(r, "once"); err != nil {
		return err
	}
	err := s.deps.Points.DropListed(r.Context(), staffBy(r.Context()), r.PathValue("id"))
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	return seeOther(w, r, listPath+"?fatto=tolto")
}

// listedCSV is the list as a table for spreadsheets.
func (s *Staff) listedCSV(w http.ResponseWriter, r *http.Request) error {
	list, err := s.deps.Points.Listed(r.Context(), "")
	if err != nil {
		return err
	}
	p := s.of(r)
	rows := [][]string{{p.word("manage.listed.name"), p.word("manage.listed.phone"), p.word("manage.listed.kind"), p.word("manage.listed.hours"), p.word("manage.listed.comune"), p.word("manage.listed.order")}}
	for _, l := range list {
		row := p.listedRow(l)
		rows = append(rows, []string{l.Name, l.Phone, row.KindName, l.Hours, row.ComuneName, strconv.Itoa(l.Order)})
	}
	return asCSV(w, "elenco.csv", rows)
}
