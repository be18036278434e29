package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// StaffDesk is the work of the desk: the call list, the papers, many requests
// at once.
type StaffDesk interface {
	Calls(ctx context.Context, by carpool.By) ([]carpool.Call, error)
	Take(ctx context.Context, by carpool.By, id string) (carpool.Call, error)
	Outcome(ctx context.Context, by carpool.By, id string, o carpool.CallOutcome, note string) error
	CodeCalls(ctx context.Context, by carpool.By) ([]carpool.CodeCall, error)
	TakeCode(ctx context.Context, by carpool.By, id string) (carpool.CodeCall, error)
	EndCode(ctx context.Context, by carpool.By, id string, o carpool.CallOutcome) error
	Vouch(ctx context.Context, by carpool.By, how carpool.AccessBy) error
	Sheet(ctx context.Context, by carpool.By, on carpool.Date, comune string) (carpool.Sheet, error)
	Slip(ctx context.Context, by carpool.By, b carpool.BookingID) (carpool.Slip, error)
	SpecialDay(ctx context.Context, by carpool.By, d carpool.SpecialDay) ([]carpool.SpecialResult, error)
}

const sheetPath = deskPath + "/foglio"

// sheetRow is one journey of the day on paper.
type sheetRow struct {
	at                        time.Time
	Leave, Arrive, Who, Phone string
	From, To, Way, Seats      string
}

type sheetView struct {
	Day, Comune  staffField
	Heading, CSV string
	Rows         []sheetRow
	Count        int
}

// sheetOf is the day and comune that are asked for, and their sheet. Whoever is
// not of the whole union gets that of a comune of their own.
func (s *Staff) sheetOf(r *http.Request) (carpool.Sheet, *staffForm, error) {
	ctx, q := r.Context(), r.URL.Query()
	typed, comune := q.Get("giorno"), q.Get("comune")
	if typed == "" {
		typed = string(s.of(r).today())
	}
	day, wrong := readDate(typed)
	if wrong == nil {
		typed = dayOf(day)
	}
	f := s.blank(r, "giorno", typed, "comune", comune)
	if comune != "" && !within(ctx, login.DeskCarpool, comune) {
		return carpool.Sheet{}, f, outside("comune", comune)
	}
	if comune == "" && !web.Who(ctx).MayIn(login.DeskCarpool) {
		mine := s.comuni(ctx, login.DeskCarpool)
		if len(mine) == 0 {
			return carpool.Sheet{}, f, outside("comune", comune)
		}
		slices.SortFunc(mine, byName)
		comune = mine[0].ISTAT
		f.values.Set("comune", comune)
	}
	if wrong != nil {
		f.bad("giorno", "desk.wrong.day")
		return carpool.Sheet{Comune: comune}, f, nil
	}
	sheet, err := s.deps.Desk.Sheet(ctx, deskFor(ctx, ""), day, comune)
	return sheet, f, err
}

// rows are the journeys of a sheet by time, those without a lift among them.
func (p speech) rows(sheet carpool.Sheet) []sheetRow {
	var out []sheetRow
	for _, x := range sheet.Rides {
		row := sheetRow{at: x.At, Leave: p.clock(x.At), Arrive: p.clock(x.Arrive), Who: x.Rider, Phone: x.RiderPhone, From: x.From, To: x.To,
			Way: p.word("desk.sheet.way.driver", x.Driver)}
		row.Way = strings.Join(slices.DeleteFunc([]string{row.Way, x.DriverPhone, slipCar(x)}, func(s string) bool { return s == "" }), ", ")
		row.Seats = p.seats(x.Seats)
		out = append(out, row)
	}
	for _, x := range sheet.Open {
		row := sheetRow{at: x.When.From, Leave: p.clock(x.When.From), Who: x.Rider, Phone: x.Phone, From: x.From, To: x.To,
			Way: p.word("desk.way." + cmp.Or(string(x.Way.Kind), string(carpool.WaySearch))), Seats: p.seats(x.Seats)}
		if x.When.Arrive {
			row.at, row.Arrive = x.When.To, p.clock(x.When.To)
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b sheetRow) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Who, b.Who)) })
	return out
}

// seats says how many travel where it is more than one.
func (p speech) seats(n int) string {
	if n <= 1 {
		return ""
	}
	return p.word("desk.seats", n)
}

func slipCar(x carpool.Slip) string { return strings.Trim(x.Car+", "+x.Plate, ", ") }

// sheetPage is /passaggi/sportello/foglio.
func (s *Staff) sheetPage(w http.ResponseWriter, r *http.Request) error {
	sheet, f, err := s.sheetOf(r)
	if err != nil {
		return err
	}
	p, ctx := s.of(r), r.Context()
	first := ""
	if web.Who(ctx).MayIn(login.DeskCarpool) {
		first = p.word("places.all")
	}
	v := sheetView{Rows: p.rows(sheet), Heading: p.word("desk.sheet.heading", p.date(sheet.On)),
		Day:    f.field("text", "giorno", "desk.sheet.day").most(10),
		Comune: f.field("select", "comune", "desk.sheet.comune", p.comuneOptions(ctx, login.DeskCarpool, first)...),
		CSV:    sheetPath + ".csv?" + url.Values{"giorno": {string(sheet.On)}, "comune": {sheet.Comune}}.Encode()}
	if sheet.Comune != "" {
		v.Heading = p.word("desk.sheet.heading.of", s.comuneName(sheet.Comune), p.date(sheet.On))
	}
	v.Count = len(v.Rows)
	w.Header().Set("Cache-Control", "no-store")
	return s.html.WriteStatus(w, r, f.status(), "sheet.html", s.deskPageView(web.View{Title: "desk.sheet.title", Data: v}))
}

// sheetCSV is the sheet as a table for spreadsheets.
func (s *Staff) sheetCSV(w http.ResponseWriter, r *http.Request) error {
	sheet, f, err := s.sheetOf(r)
	if err != nil {
		return err
	}
	if !f.ok() {
		return outside("day", r.URL.Query().Get("giorno"))
	}
	p := s.of(r)
	rows := [][]string{{p.word("desk.sheet.leave"), p.word("desk.sheet.who"), p.word("desk.sheet.phone"), p.word("desk.sheet.from"), p.word("desk.sheet.to"), p.word("desk.sheet.way"), p.word("desk.sheet.seats")}}
	for _, row := range p.rows(sheet) {
		rows = append(rows, []string{row.Leave, row.Who, row.Phone, row.From, row.To, row.Way, row.Seats})
	}
	return asCSV(w, "foglio-"+string(sheet.On)+".csv", rows)
}

// slipView is one journey on paper.
type slipView struct {
	For                            forWhom
	Union, Who, Day, Leave, Arrive string
	From, To, Driver, Car, Phone   string
	Price, Seats, State            string
	List                           []listedRow
}

// slipPage is /passaggi/sportello/biglietto/{booking}.
func (s *Staff) slipPage(w http.ResponseWriter, r *http.Request) error {
	ctx, p, id := r.Context(), s.of(r), carpool.BookingID(r.PathValue("booking"))
	b, err := s.deps.Bookings.Get(ctx, deskFor(ctx, ""), id)
	if gone(err) {
		return outside("booking", string(id))
	}
	if err != nil {
		return err
	}
	m, err := s.memberIn(ctx, b.Booking.Rider, carpool.LookSlip, string(id))
	if gone(err) { // of another comune: as if there were none, and without the rider's name for it
		return outside("booking", string(id))
	}
	if err != nil {
		return err
	}
	slip, err := s.deps.Desk.Slip(ctx, deskFor(ctx, m.ID), id)
	if gone(err) {
		return outside("booking", string(id))
	}
	if err != nil {
		return err
	}
	list, err := s.deps.Points.Listed(ctx, m.Comune)
	if err != nil {
		return err
	}
	v := slipView{For: p.forWhom(m), Union: s.deps.Union.Name, Who: slip.Rider, Day: p.day(slip.At), Leave: p.clock(slip.At), Arrive: p.clock(slip.Arrive), From: p.orDoor(slip.From), To: p.orDoor(slip.To),
		Driver: slip.Driver, Car: slipCar(slip), Phone: slip.DriverPhone, Price: p.euro(slip.Cents), Seats: p.seats(slip.Seats), State: p.word("desk.slip.state", p.word("desk.booking."+string(slip.State)))}
	for _, l := range list {
		v.List = append(v.List, p.listedRow(l))
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.html.Write(w, r, "slip.html", s.deskPageView(web.View{Title: "desk.slip.title", Data: v}))
}

func (p speech) orDoor(name string) string { return cmp.Or(name, p.word("desk.door")) }
