package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
)

// demoDriver drives in the demo: from where to where, on which days.
type demoDriver struct {
	from, to carpool.PlaceID
	days     string // BYDAY
	out      carpool.Clock
	back     carpool.Clock
	car      string
	frame    bool // room for a walking frame
}

var demoDrivers = []demoDriver{
	{"niella-belbo-municipio", "alba-stazione", "MO,TU,WE,TH,FR", "06:50", "15:10", "Panda grigia", true},
	{"cortemilia-municipio", "alba-stazione", "MO,TU,WE,TH,FR", "07:15", "17:30", "Yaris bianca", false},
	{"bergolo-municipio", "verduno-ospedale", "TU,TH", "08:00", "12:30", "Doblò blu", true},
	{"murazzano-municipio", "dogliani-centro", "MO,WE,FR", "08:20", "12:10", "Punto rossa", false},
	{"santo-stefano-belbo-municipio", "canelli-centro", "MO,TU,WE,TH,FR,SA", "07:40", "12:40", "Tipo verde", true},
	{"monesiglio-municipio", "ceva-centro", "MO,TU,WE,TH,FR", "07:05", "13:20", "Sandero grigia", false},
	{"prunetto-municipio", "cortemilia-municipio", "TU,TH,SA", "09:00", "11:45", "Panda verde", true},
	{"bossolasco-municipio", "alba-stazione", "MO,TU,TH", "07:30", "18:10", "Clio blu", false},
}

// demoPeople fills the portal of the demo with meeting points, drivers and
// residents, once: what is there is left as it is. They are nobody.
func demoPeople(ctx context.Context, s *server) error {
	office := carpool.By{Account: "admin"}
	if err := demoPlaces(ctx, s, office); err != nil {
		return err
	}
	resident, err := demoMember(ctx, s, carpool.By{Account: "resident"}, carpool.Member{First: "Residente", Last: "di prova", Phone: "+39347000001", Comune: "004073"}, carpool.ConsentCheck)
	if err != nil {
		return err
	}
	landline, err := demoMember(ctx, s, carpool.By{Account: "desk", Desk: true}, carpool.Member{First: "Residente", Last: "con telefono fisso", Phone: "+390173000002", Landline: true,
		Comune: "004021", Channels: []carpool.Channel{carpool.ByVoice}, Needs: carpool.Needs{WalkingFrame: true}})
	if err != nil {
		return err
	}
	for i, d := range demoDrivers {
		if err := demoDriverOf(ctx, s, i, d, resident); err != nil {
			return fmt.Errorf("driver %d: %w", i+1, err)
		}
	}
	return demoRequests(ctx, s, landline)
}

func demoPlaces(ctx context.Context, s *server, office carpool.By) error {
	there, err := s.carpool.Places.List(ctx, "")
	if err != nil || len(there) > 0 {
		return err
	}
	text, err := fs.ReadFile(demo.FS, "carpool/places.json")
	if err != nil {
		return err
	}
	var places []carpool.Place
	if err := json.Unmarshal(text, &places); err != nil {
		return fmt.Errorf("meeting points: %w", err)
	}
	for _, l := range []carpool.Listed{
		{Name: "Associazione di volontariato (esempio)", Phone: "+390173000010", Kind: "association", Hours: "da lunedì a sabato, 8–18", Order: 1},
		{Name: "Autobus a chiamata (esempio)", Phone: "+390173000011", Kind: "on-call-bus", Hours: "da lunedì a venerdì, 7–19", Order: 2},
		{Name: "Taxi (esempio)", Phone: "+390173000012", Kind: "taxi", Hours: "sempre", Order: 3},
	} {
		if _, err := s.carpool.Places.PutListed(ctx, office, l); err != nil {
			return err
		}
	}
	for _, p := range places {
		if _, err := s.carpool.Places.Put(ctx, office, p); err != nil {
			return fmt.Errorf("meeting point %s: %w", p.ID, err)
		}
	}
	return nil
}

// demoMember gives the member of an account, or the desk's member of a name,
// and makes it where there is none.
func demoMember(ctx context.Context, s *server, by carpool.By, m carpool.Member, more ...carpool.ConsentTo) (carpool.Member, error) {
	how := "page"
	if by.Desk {
		how = "voice"
		found, err := s.carpool.Members.Find(ctx, by, m.Last, func(string) bool { return true })
		if err != nil {
			return m, err
		}
		if i := slices.IndexFunc(found, func(o carpool.Member) bool { return o.Last == m.Last }); i >= 0 {
			return found[i], nil
		}
	} else if old, err := s.carpool.Members.ByAccount(ctx, by.Account); err == nil {
		return old, nil
	} else if fault.Of(err) != fault.NotFound {
		return m, err
	}
	m.Lang = "it"
	if m.Channels == nil {
		m.Channels = []carpool.Channel{carpool.BySMS}
	}
	return s.carpool.Members.Register(ctx, by, carpool.Registration{Member: m, How: how, Consents: append([]carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, more...)})
}

// demoDriverOf makes one driver with a car, papers and lifts there and back. The
// first is the account "resident", so that whoever signs in by it can drive too;
// the papers of the last wait for the officers.
func demoDriverOf(ctx context.Context, s *server, i int, d demoDriver, resident carpool.Member) error {
	m, by := resident, carpool.By{Account: "resident", Member: resident.ID}
	if i > 0 {
		desk := carpool.By{Account: "desk", Desk: true}
		var err error
		m, err = demoMember(ctx, s, desk, carpool.Member{First: fmt.Sprintf("Autista %d", i+1), Last: fmt.Sprintf("di prova %d", i+1), Phone: fmt.Sprintf("+3934700001%d", i), Comune: comuneOf(ctx, s, d.from)}, carpool.ConsentCheck)
		if err != nil {
			return err
		}
		by = carpool.By{Account: "desk", Desk: true, Member: m.ID}
	}
	cars, err := s.carpool.Members.Vehicles(ctx, m.ID)
	if err != nil || len(cars) > 0 {
		return err
	}
	car, err := s.carpool.Members.PutVehicle(ctx, by, carpool.Vehicle{Driver: m.ID, Plate: fmt.Sprintf("XX%03dAL", 100+i), Label: d.car, Class: "car", Seats: 4, Carries: carpool.Needs{WalkingFrame: d.frame, ChildSeats: 1}})
	if err != nil {
		return err
	}
	until := carpool.DateOf(time.Now().AddDate(1, 0, 0), time.UTC)
	check, err := s.carpool.Trust.Ask(ctx, by, car.ID, carpool.Check{Licence: until, Insurance: until, Roadworthy: until}, nil)
	if err != nil || i == len(demoDrivers)-1 {
		return err
	}
	if _, err := s.carpool.Trust.Decide(ctx, carpool.By{Account: "police"}, check.ID, carpool.Decision{Pass: true, Licence: until, Insurance: until, Roadworthy: until}); err != nil {
		return err
	}
	for _, way := range []struct {
		from, to carpool.PlaceID
		at       carpool.Clock
	}{{d.from, d.to, d.out}, {d.to, d.from, d.back}} {
		o := carpool.Offer{Driver: m.ID, Vehicle: car.ID, Seats: 3, MaxDetour: 15 * time.Minute, MilliEURKm: 50, Carries: car.Carries,
			When: carpool.Schedule{Time: way.at, Rule: "FREQ=WEEKLY;BYDAY=" + d.days, First: carpool.DateOf(time.Now(), time.UTC)}}
		if o.From, err = demoSpot(ctx, s, way.from); err != nil {
			return err
		}
		if o.To, err = demoSpot(ctx, s, way.to); err != nil {
			return err
		}
		if _, err := s.carpool.Offers.Add(ctx, by, o, fmt.Sprintf("demo-%d-%s", i, way.at)); err != nil {
			return fmt.Errorf("lift from %s: %w", way.from, err)
		}
	}
	return nil
}

func demoSpot(ctx context.Context, s *server, id carpool.PlaceID) (carpool.Spot, error) {
	p, err := s.carpool.Places.Get(ctx, id)
	return carpool.Spot{Place: p.ID, At: p.At}, err
}

func comuneOf(ctx context.Context, s *server, id carpool.PlaceID) string {
	p, err := s.carpool.Places.Get(ctx, id)
	if err != nil {
		return ""
	}
	return p.Comune
}

// demoRequests has the desk ask for a lift to the hospital and back when the
// visit ends, on the next Tuesday or Thursday, for who has a landline only.
func demoRequests(ctx context.Context, s *server, rider carpool.Member) error {
	asked, err := s.carpool.Bookings.Requests(ctx, rider.ID)
	if err != nil || len(asked) > 0 {
		return err
	}
	day := time.Now().AddDate(0, 0, 1)
	for day.Weekday() != time.Tuesday && day.Weekday() != time.Thursday {
		day = day.AddDate(0, 0, 1)
	}
	leave := time.Date(day.Year(), day.Month(), day.Day(), 7, 0, 0, 0, time.Local)
	r := carpool.Request{Rider: rider.ID, When: carpool.Window{From: leave, To: leave.Add(2 * time.Hour)}, Needs: rider.Needs, Return: carpool.ReturnOpen, MaxWalk: 15 * time.Minute}
	if r.From, err = demoSpot(ctx, s, "bergolo-municipio"); err != nil {
		return err
	}
	if r.To, err = demoSpot(ctx, s, "verduno-ospedale"); err != nil {
		return err
	}
	by := carpool.By{Account: "desk", Desk: true, Member: rider.ID}
	r, err = s.carpool.Bookings.Request(ctx, by, r, nil, "demo-ospedale")
	if err != nil {
		return err
	}
	a, err := s.carpool.Bookings.Search(ctx, carpool.Ask{For: rider.ID, From: r.From, To: r.To, When: r.When, Seats: r.Seats(), Needs: r.Needs, MaxWalk: r.MaxWalk})
	if err != nil || len(a.Matches) == 0 {
		return err
	}
	_, err = s.carpool.Bookings.Book(ctx, by, r.ID, a.Matches[0], "demo-ospedale-book")
	return err
}
