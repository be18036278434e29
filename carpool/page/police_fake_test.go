package page_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/internal/fault"
)

// trustOffice is what officers, the desk's call list and the inbox hold.
type trustOffice struct {
	checks      []carpool.CheckView
	suspensions []carpool.Suspension
	reports     []carpool.Report
	keys        []page.Operator
	given       []page.GivenUp
}

func (o *office) fillTrust() {
	check := func(id string, driver carpool.MemberID, plate string) carpool.CheckView {
		return carpool.CheckView{Check: carpool.Check{ID: id, Driver: driver, Vehicle: "v-1", State: carpool.CheckWaiting, Licence: "2027-03-31", Insurance: "2027-01-31", Roadworthy: "2028-05-31", Asked: staffNow.Add(-26 * time.Hour)},
			Name: o.members[driver].First + " " + o.members[driver].Last, Plate: plate, Label: "auto rossa", Class: "car", Pictures: []carpool.Picture{{ID: "i-1", Kind: carpool.PictureLicence, Media: "image/png"}, {ID: "i-2", Kind: carpool.PictureInsurance, Media: "text/html"}}}
	}
	o.checks = []carpool.CheckView{check("k-bergolo", "m-driver", "AA111AA"), check("k-cortemilia", "m-bruno", "BB222BB")}
	o.suspensions = []carpool.Suspension{
		{ID: "z-1", Member: "m-driver", State: carpool.SuspensionProposed, Reason: "Guidava un’altra auto.", By: "polizia", At: staffNow.Add(-time.Hour)},
		{ID: "z-2", Member: "m-bruno", State: carpool.SuspensionInForce, Reason: "Documenti scaduti.", By: "polizia-due", At: staffNow.Add(-48 * time.Hour), SettledBy: "gestione", Appeal: "Li ho rinnovati."},
	}
	o.reports = []carpool.Report{
		{ID: "x-1", Reporter: "m-anna", About: "m-driver", Kind: carpool.ReportMoney, Text: "Ha chiesto 10 euro <b>in più</b>.", State: carpool.ReportOpen, At: staffNow.Add(-3 * time.Hour)},
		{ID: "x-2", About: "m-driver", Kind: carpool.ReportTaxi, Text: carpool.TaxiMany, State: carpool.ReportOpen, At: staffNow.Add(-5 * time.Hour)},
		{ID: "x-3", About: "m-anna", Kind: carpool.ReportUnreached, State: carpool.ReportOpen, At: staffNow.Add(-6 * time.Hour)},
		{ID: "x-4", Reporter: "m-bruno", About: "m-driver", Kind: carpool.ReportConduct, Text: "vecchia", State: carpool.ReportHandled, Outcome: "talked", Reason: "parlato", At: staffNow.Add(-96 * time.Hour)},
	}
	o.keys = []page.Operator{{ID: "covoiturage.example", Name: "Covoiturage", Scopes: []string{"search"}, Added: staffNow.Add(-300 * time.Hour), Rotated: staffNow.Add(-30 * time.Hour)}}
	o.given = []page.GivenUp{{ID: "n-1", Queue: "carpool", Tries: 36, Error: "550 no such user", Added: staffNow.Add(-50 * time.Hour)}}
	for _, m := range []carpool.MemberID{"m-anna", "m-bruno"} {
		id := carpool.BookingID("b-" + string(m[2:]))
		o.bookings[id] = carpool.Booking{ID: id, Ride: "r-1", Rider: m, Driver: "m-driver", Seats: 2, State: carpool.Accepted, Cents: 95,
			Pickup: carpool.Stop{Spot: carpool.Spot{Place: "bergolo-piazza"}, At: staffNow.Add(22 * time.Hour)}, Drop: carpool.Stop{Spot: carpool.Spot{Place: "cortemilia-ospedale"}, At: staffNow.Add(23 * time.Hour)}}
	}
	o.calls = []carpool.Call{
		{ID: "t-anna", Member: "m-anna", Kind: string(carpool.NoticeAccepted), With: map[string]string{carpool.WithBooking: "b-anna"}, State: carpool.CallOpen, Due: staffNow.Add(-time.Hour), Name: "Residente Dodici", Tries: 1, Note: "richiamare dopo pranzo"},
		{ID: "t-bruno", Member: "m-bruno", Kind: "way.desk", State: carpool.CallOpen, Due: staffNow.Add(time.Hour), Name: "Residente Tredici"},
		{ID: "t-other", Member: "m-anna", Kind: "message", State: carpool.CallTaken, By: "collega", Lease: staffNow.Add(10 * time.Minute), Due: staffNow.Add(5 * time.Hour)},
		{ID: "t-late", Member: "m-anna", Kind: "welcome", State: carpool.CallOpen, Due: staffNow.Add(9 * time.Hour), Next: staffNow.Add(2 * time.Hour)},
	}
}

// Get gives a booking to one of its sides, or to the desk.
func (o *officeBookings) Get(_ context.Context, by carpool.By, id carpool.BookingID) (carpool.BookingView, error) {
	b, ok := o.bookings[id]
	if !ok || by.Member != "" && by.Member != b.Rider && by.Member != b.Driver {
		return carpool.BookingView{}, fault.New(fault.Denied, "not yours")
	}
	v := carpool.BookingView{Booking: b, As: carpool.AsRider, DriverIs: carpool.Person{First: o.members[b.Driver].First}, RiderIs: carpool.Person{First: o.members[b.Rider].First},
		PickupName: o.places[b.Pickup.Spot.Place].Name, DropName: o.places[b.Drop.Spot.Place].Name}
	if by.Member == b.Driver {
		v.As = carpool.AsDriver
	}
	if b.State == carpool.Asked || b.State == carpool.Accepted {
		v.May = []carpool.BookingEvent{carpool.EventCancel}
	}
	if b.State.Holds() {
		v.DriverIs.Last, v.DriverIs.Phone, v.Car, v.Plate = o.members[b.Driver].Last, o.members[b.Driver].Phone, "auto rossa", "AA111AA"
	}
	return v, nil
}

type officeTrust office

func (o *officeTrust) Queue(_ context.Context, by carpool.By, in func(string) bool) ([]carpool.CheckView, error) {
	(*office)(o).note(by, "guarda la coda")
	var out []carpool.CheckView
	for _, c := range o.checks {
		if c.State == carpool.CheckWaiting && in(o.members[c.Driver].Comune) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (o *officeTrust) Look(_ context.Context, by carpool.By, id string) (carpool.CheckView, error) {
	for _, c := range o.checks {
		if c.ID == id && c.State == carpool.CheckWaiting {
			(*office)(o).note(by, "guarda %s", id)
			return c, nil
		}
	}
	return carpool.CheckView{}, fault.New(fault.NotFound, "no papers %s", id)
}

func (o *officeTrust) Picture(_ context.Context, by carpool.By, check, picture string) (carpool.Picture, error) {
	for _, c := range o.checks {
		for _, p := range c.Pictures {
			if c.ID == check && p.ID == picture {
				(*office)(o).note(by, "guarda %s di %s", picture, check)
				p.Data = onePixel
				return p, nil
			}
		}
	}
	return carpool.Picture{}, fault.New(fault.NotFound, "no picture")
}

func (o *officeTrust) Mine(_ context.Context, driver carpool.MemberID) ([]carpool.Check, error) {
	if driver == "m-bruno" {
		return []carpool.Check{{ID: "k-old", Driver: driver, Vehicle: "v-1", State: carpool.CheckPassed, Licence: "2026-12-01", Insurance: "2026-12-01", Roadworthy: "2026-12-01"}}, nil
	}
	return nil, nil
}

func (o *officeTrust) SuspensionsOf(_ context.Context, member carpool.MemberID) ([]carpool.Suspension, error) {
	return slices.DeleteFunc(slices.Clone(o.suspensions), func(s carpool.Suspension) bool { return s.Member != member }), nil
}

func (o *officeTrust) Drivers(context.Context, carpool.By) ([]carpool.DriverState, error) {
	return []carpool.DriverState{{ID: "m-driver", State: carpool.Active, Checks: []carpool.DriverCheck{{Vehicle: "v-1", State: carpool.CheckPassed, Until: "2027-01-31"}}}}, nil
}

func (o *officeTrust) Decide(_ context.Context, by carpool.By, id string, d carpool.Decision) (carpool.Check, error) {
	for i, c := range o.checks {
		if c.ID == id && c.State == carpool.CheckWaiting {
			o.checks[i].State = carpool.CheckRefused
			if d.Pass {
				o.checks[i].State = carpool.CheckPassed
			}
			o.checks[i].Pictures = nil
			(*office)(o).note(by, "decide %s %v %s %s %s %q", id, d.Pass, d.Licence, d.Insurance, d.Roadworthy, d.Reason)
			return o.checks[i].Check, nil
		}
	}
	return carpool.Check{}, fault.New(fault.Conflict, "decided already")
}

func (o *officeTrust) Propose(_ context.Context, by carpool.By, m carpool.MemberID, reason string) (carpool.Suspension, error) {
	for _, s := range o.suspensions {
		if s.Member == m {
			return s, fault.New(fault.Conflict, "a suspension of this member is %s already", s.State)
		}
	}
	s := carpool.Suspension{ID: "z-new", Member: m, State: carpool.SuspensionProposed, Reason: reason, By: by.Account, At: staffNow}
	o.suspensions = append(o.suspensions, s)
	(*office)(o).note(by, "propone %s", m)
	return s, nil
}

func (o *officeTrust) turn(by carpool.By, id string, from, to carpool.SuspensionState) (carpool.Suspension, error) {
	for i, s := range o.suspensions {
		if s.ID == id && s.State == from {
			if from == carpool.SuspensionProposed && s.By == by.Account {
				return s, fault.New(fault.Denied, "you proposed it")
			}
			o.suspensions[i].State = to
			(*office)(o).note(by, "%s %s", id, to)
			return o.suspensions[i], nil
		}
	}
	return carpool.Suspension{}, fault.New(fault.Conflict, "it is not %s", from)
}

func (o *officeTrust) Settle(_ context.Context, by carpool.By, id string, ok bool, _ string) (carpool.Suspension, error) {
	if !ok {
		return o.turn(by, id, carpool.SuspensionProposed, carpool.SuspensionRefused)
	}
	return o.turn(by, id, carpool.SuspensionProposed, carpool.SuspensionInForce)
}

func (o *officeTrust) Lift(_ context.Context, by carpool.By, id, _ string) (carpool.Suspension, error) {
	return o.turn(by, id, carpool.SuspensionInForce, carpool.SuspensionLifted)
}

func (o *officeTrust) Uphold(_ context.Context, by carpool.By, id, reason string) (carpool.Suspension, error) {
	for i, s := range o.suspensions {
		if s.ID == id && s.Appealed() {
			if s.By == by.Account {
				return s, fault.New(fault.Denied, "you proposed it")
			}
			o.suspensions[i].Answer, o.suspensions[i].AnsweredBy = reason, by.Account
			(*office)(o).note(by, "%s resta", id)
			return o.suspensions[i], nil
		}
	}
	return carpool.Suspension{}, fault.New(fault.Conflict, "no appeal waits for an answer")
}

func (o *officeTrust) Suspensions(_ context.Context, open bool) ([]carpool.Suspension, error) {
	var out []carpool.Suspension
	for _, s := range o.suspensions {
		if !open || s.State == carpool.SuspensionProposed || s.State == carpool.SuspensionInForce {
			out = append(out, s)
		}
	}
	return out, nil
}

type officeTalk office

func (o *officeTalk) Reports(_ context.Context, by carpool.By) ([]carpool.Report, error) {
	return slices.Clone(o.reports), nil
}

func (o *officeTalk) Handle(_ context.Context, by carpool.By, id, outcome, reason string) error {
	for i, r := range o.reports {
		if r.ID == id {
			if r.State != carpool.ReportOpen {
				return fault.New(fault.Conflict, "it was handled already")
			}
			o.reports[i].State, o.reports[i].Outcome, o.reports[i].Reason = carpool.ReportHandled, outcome, reason
			(*office)(o).note(by, "chiude %s: %s", id, outcome)
			return nil
		}
	}
	return fault.New(fault.NotFound, "no report %s", id)
}

type officeDesk office

func (o *officeDesk) Calls(context.Context, carpool.By) ([]carpool.Call, error) {
	return slices.Clone(o.calls), nil
}

func (o *officeDesk) Take(_ context.Context, by carpool.By, id string) (carpool.Call, error) {
	for i, c := range o.calls {
		if c.ID == id {
			if c.State == carpool.CallTaken && c.By != by.Account && c.Lease.After(staffNow) {
				return c, fault.New(fault.Conflict, "a colleague has this call in hand")
			}
			o.calls[i].State, o.calls[i].By, o.calls[i].Lease = carpool.CallTaken, by.Account, staffNow.Add(carpool.CallLease)
			(*office)(o).note(by, "prende %s", id)
			return o.calls[i], nil
		}
	}
	return carpool.Call{}, fault.New(fault.NotFound, "no call %s", id)
}

func (o *officeDesk) Outcome(_ context.Context, by carpool.By, id string, out carpool.CallOutcome, note string) error {
	for i, c := range o.calls {
		if c.ID == id {
			if c.State != carpool.CallTaken || c.By != by.Account {
				return fault.New(fault.Conflict, "take this call first")
			}
			o.calls[i].State, o.calls[i].Note = carpool.CallOpen, note
			if out == carpool.CallReached {
				o.calls[i].State = carpool.CallDone
			}
			(*office)(o).note(by, "esito %s: %s %q", id, out, note)
			return nil
		}
	}
	return fault.New(fault.NotFound, "no call %s", id)
}

func (o *officeDesk) Sheet(_ context.Context, by carpool.By, on carpool.Date, comune string) (carpool.Sheet, error) {
	(*office)(o).note(by, "foglio %s %s", on, comune)
	return carpool.Sheet{On: on, Comune: comune,
		Rides: []carpool.Slip{{Booking: "b-anna", State: carpool.Accepted, At: staffNow.Add(22 * time.Hour), Arrive: staffNow.Add(23 * time.Hour), From: "Bergolo, piazza", To: "Cortemilia, ospedale", Rider: "=Residente Dodici", RiderPhone: "+390173123456", Seats: 2, Driver: "Autista Tre", DriverPhone: "+393339998887", Car: "auto rossa", Plate: "AA111AA"}},
		Open:  []carpool.Pending{{Request: "q-9", Rider: "Residente Quattordici", Phone: "+390173000111", When: carpool.Window{From: staffNow.Add(20 * time.Hour), To: staffNow.Add(21 * time.Hour)}, From: "Bergolo, piazza", To: "Cortemilia, scuola", Seats: 1, Way: carpool.Way{Kind: carpool.WayList}}}}, nil
}

func (o *officeDesk) Slip(_ context.Context, by carpool.By, id carpool.BookingID) (carpool.Slip, error) {
	b, ok := o.bookings[id]
	if !ok || by.Member != b.Rider {
		return carpool.Slip{}, fault.New(fault.Denied, "not yours")
	}
	(*office)(o).note(by, "biglietto %s", id)
	return carpool.Slip{Booking: id, State: b.State, At: b.Pickup.At, Arrive: b.Drop.At, From: "Bergolo, piazza", To: "Cortemilia, ospedale", Rider: o.members[b.Rider].First + " " + o.members[b.Rider].Last, Seats: b.Seats,
		Driver: "Autista Tre", DriverPhone: "+393339998887", Car: "auto rossa", Plate: "AA111AA", Cents: b.Cents}, nil
}

func (o *officeDesk) SpecialDay(ctx context.Context, by carpool.By, d carpool.SpecialDay) ([]carpool.SpecialResult, error) {
	var out []carpool.SpecialResult
	for _, r := range d.Riders {
		req := carpool.Request{Rider: r.Member, From: d.From, To: d.To, When: d.When, Note: d.Note, Needs: carpool.Needs{ChildSeats: r.ChildSeats}}
		if r.From != nil {
			req.From = *r.From
		}
		if d.Back != nil {
			req.Return = carpool.ReturnAt
		}
		made, err := (*officeBookings)(o).Request(ctx, carpool.By{Account: by.Account, Member: r.Member, Desk: true}, req, d.Back, fmt.Sprint("special:", d.Mark, r.Member))
		res := carpool.SpecialResult{Member: r.Member, Request: made}
		if err != nil {
			res.Err = err.Error()
		}
		out = append(out, res)
	}
	return out, nil
}

type officeKeys office

func (o *officeKeys) List(context.Context) ([]page.Operator, error) { return o.keys, nil }
func (o *officeKeys) Add(_ context.Context, op page.Operator) (string, error) {
	for _, k := range o.keys {
		if k.ID == op.ID {
			return "", fault.New(fault.Conflict, "it has a key already")
		}
	}
	o.keys = append(o.keys, op)
	return "key-of-" + op.ID, nil
}
func (o *officeKeys) Rotate(_ context.Context, id string, keep time.Duration) (string, error) {
	return fmt.Sprintf("new-key-of-%s-%s", id, keep), nil
}
func (o *officeKeys) Revoke(_ context.Context, id string) error {
	for i := range o.keys {
		if o.keys[i].ID == id {
			o.keys[i].Revoked = true
			return nil
		}
	}
	return fault.New(fault.NotFound, "no operator %s", id)
}

type officeBox office

func (o *officeBox) List(context.Context) ([]page.GivenUp, error) { return o.given, nil }
func (o *officeBox) Retry(_ context.Context, id string) error     { return o.take(id) }
func (o *officeBox) Drop(_ context.Context, id string) error      { return o.take(id) }
func (o *officeBox) take(id string) error {
	n := len(o.given)
	o.given = slices.DeleteFunc(o.given, func(m page.GivenUp) bool { return m.ID == id })
	if len(o.given) == n {
		return fault.New(fault.NotFound, "no message %s", id)
	}
	return nil
}

type officeFigures office

func (o *officeFigures) Figures(_ context.Context, from, to time.Time) (page.PortalFigures, error) {
	f := page.PortalFigures{Needed: 1000, Served: 997, Stated: 3, CO2Kg: 1234.5, Method: "metodo di prova",
		Requests: []page.CountOf{{State: "done", Count: 990}, {State: "open", Count: 10}}, Bookings: []page.CountOf{{State: "completed", Count: 980}}}
	for at := from; at.Before(to); at = at.AddDate(0, 1, 0) {
		f.Months = append(f.Months, page.MonthFigures{Month: at.Format("2006-01"), Needed: 80, Served: 60, CO2Kg: 100})
	}
	return f, nil
}

// onePixel is a PNG.
var onePixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")
