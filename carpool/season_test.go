package carpool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/gtfs"
	"github.com/crinale/crinale/carpool/roads"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// season is the portal of the demo's places living through its plan. What it
// was told is done it notes in a file, line by line, as somebody outside would
// remember it: the process may be killed at any moment.
type season struct {
	t      *testing.T
	dir    string
	seed   uint64
	plan   *seasonPlan
	now    atomic.Int64
	db     *store.DB
	box    *outbox.Box
	portal *carpool.Portal
	noted  map[string]string // "resident 7" → its id
	notes  *os.File
	heard  *os.File       // notices that reached their people
	ears   map[string]int // by the notice
	words  map[carpool.MemberID][]word

	residents []carpool.MemberID
	minors    []carpool.MemberID
	drivers   []carpool.MemberID
	vehicles  []carpool.VehicleID
	driverNo  map[carpool.MemberID]int
	trips     map[carpool.RequestID]plannedTrip // outward and back
}

var (
	sportello = carpool.By{Account: "sportello", Desk: true}
	vigile    = carpool.By{Account: "vigile"}
)

func self(n string, id carpool.MemberID) carpool.By { return carpool.By{Account: n, Member: id} }

func (s *season) at(t time.Time)  { s.now.Store(t.UnixMilli()) }
func (s *season) time() time.Time { return time.UnixMilli(s.now.Load()) }

// openSeason opens the portal in a folder and reads what was noted before.
func openSeason(t *testing.T, dir string, seed uint64, weeks int) *season {
	t.Helper()
	s := &season{t: t, dir: dir, seed: seed, noted: map[string]string{}, ears: map[string]int{}, words: map[carpool.MemberID][]word{}, driverNo: map[carpool.MemberID]int{}, trips: map[carpool.RequestID]plannedTrip{}}
	s.at(seasonStart)
	var err error
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.plan, err = planSeason(seed, weeks)
	must(err)
	s.db, err = store.Open(t.Context(), filepath.Join(dir, "season.db"))
	must(err)
	t.Cleanup(func() { s.db.Close() })
	s.db.SetClock(s.time)
	log, err := audit.New(audit.Config{Head: filepath.Join(dir, "audit.head")}, audit.Deps{Store: s.db})
	must(err)
	must(log.Open(t.Context()))
	oc := outbox.Default()
	s.box, err = outbox.New(oc, outbox.Deps{Store: s.db})
	must(err)
	must(s.box.Open(t.Context()))
	f, err := demo.FS.Open("carpool/roads.json")
	must(err)
	defer f.Close()
	g, err := roads.ReadSchematic(f)
	must(err)
	sub, err := subFS("carpool/bus")
	must(err)
	table, err := gtfs.Read(sub, gtfs.DefaultLimits())
	must(err)
	buses, err := gtfs.NewBuses(table, g.Walk)
	must(err)
	cfg := carpool.Default()
	s.portal, err = carpool.New(cfg, carpool.Deps{Store: s.db, Audit: log, Outbox: s.box, Roads: g, Buses: buses})
	must(err)
	must(s.portal.Open(t.Context()))
	s.box.Handle(carpool.Queue, s.deliver)
	s.notes, err = os.OpenFile(filepath.Join(dir, "notes"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	must(err)
	s.heard, err = os.OpenFile(filepath.Join(dir, "heard"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	must(err)
	t.Cleanup(func() { s.notes.Close(); s.heard.Close() })
	s.remember()
	lines := bufio.NewScanner(s.notes)
	for lines.Scan() {
		if k, v, ok := strings.Cut(lines.Text(), " = "); ok {
			s.noted[k] = v
		}
	}
	must(lines.Err())
	return s
}

// once does something that gives a name, and notes it; what was noted before is
// not done again. What was done and not noted is: it must then give the same.
func (s *season) once(key string, do func() (string, error)) string {
	s.t.Helper()
	if v, ok := s.noted[key]; ok {
		return v
	}
	v, err := do()
	if err != nil {
		s.t.Fatalf("%s: %s: %v", s.time().In(rome).Format("Mon 2006-01-02 15:04"), key, err)
	}
	s.note(key, v)
	return v
}

func (s *season) note(key, v string) {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.notes, "%s = %s\n", key, v); err != nil {
		s.t.Fatal(err)
	}
	s.noted[key] = v
}

// found looks for what an interrupted once may have made already.
func (s *season) member(n string, last string, m carpool.Member, by carpool.By, how string, more ...carpool.ConsentTo) carpool.MemberID {
	return carpool.MemberID(s.once(n, func() (string, error) {
		m.Last = last
		if by.Desk { // a crash may have come between the doing and the noting
			ms, err := s.portal.Members.Find(s.t.Context(), sportello, last, everywhere)
			if err != nil {
				return "", err
			}
			for _, old := range ms {
				if old.Last == last {
					return string(old.ID), nil
				}
			}
		} else if old, err := s.portal.Members.ByAccount(s.t.Context(), by.Account); err == nil {
			return string(old.ID), nil
		}
		got, err := s.portal.Members.Register(s.t.Context(), by, carpool.Registration{
			Member: m, How: how, Consents: append([]carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, more...),
		})
		return string(got.ID), err
	}))
}

// people makes the places, the residents, the drivers with their cars, papers
// and lifts, and the list of who to call.
func (s *season) people() {
	ctx := s.t.Context()
	office := carpool.By{Account: "amministrazione"}
	for _, p := range s.plan.places {
		s.once("place "+string(p.ID), func() (string, error) {
			got, err := s.portal.Places.Put(ctx, office, p)
			return string(got.ID), err
		})
	}
	s.once("listed", func() (string, error) {
		old, err := s.portal.Places.Listed(ctx, "")
		if err != nil || len(old) > 0 {
			return "there", err
		}
		l, err := s.portal.Places.PutListed(ctx, office, carpool.Listed{Name: "Associazione di volontari", Phone: "+390173000001", Kind: "association", Hours: "8-20"})
		return l.ID, err
	})
	for i, home := range s.plan.residents {
		m := carpool.Member{First: "Residente", Phone: fmt.Sprintf("+39347%07d", i), Comune: s.comune(home), Channels: []carpool.Channel{carpool.BySMS}, Lang: "it"}
		by, how := carpool.By{Account: account(i)}, "page"
		if i%5 < 3 { // as many as telephone have no account
			by, how = sportello, "voice"
			m.Phone, m.Landline, m.Channels = fmt.Sprintf("+390173%06d", i), true, []carpool.Channel{carpool.ByVoice}
		} else {
			m.Account = by.Account
		}
		s.residents = append(s.residents, s.member(fmt.Sprintf("resident %d", i), fmt.Sprintf("Numero %03d", i), m, by, how))
	}
	for i := range seasonMinors {
		g := s.residents[i*5]
		m := carpool.Member{First: "Bambino", Comune: s.comune(s.plan.residents[i*5]), Minor: true, Guardian: g, Lang: "it"}
		s.minors = append(s.minors, s.member(fmt.Sprintf("minor %d", i), fmt.Sprintf("Minore %02d", i), m, sportello, "paper", carpool.ConsentMinor))
	}
	for i, d := range s.plan.drivers {
		n := fmt.Sprintf("driver %d", i)
		by := carpool.By{Account: "r-autista" + fmt.Sprint(i)}
		id := s.member(n, fmt.Sprintf("Autista %02d", i), carpool.Member{First: "Autista", Account: by.Account, Phone: fmt.Sprintf("+39348%07d", i), Comune: s.comune(d.from), Channels: []carpool.Channel{carpool.BySMS}, Lang: "it"}, by, "page", carpool.ConsentCheck)
		by.Member = id
		s.drivers, s.driverNo[id] = append(s.drivers, id), i
		v := carpool.VehicleID(s.once(n+" vehicle", func() (string, error) {
			if old, err := s.portal.Members.Vehicles(ctx, id); err != nil || len(old) > 0 {
				return string(old[0].ID), err
			}
			v, err := s.portal.Members.PutVehicle(ctx, by, carpool.Vehicle{Driver: id, Plate: fmt.Sprintf("AL%03dPR", i), Label: "Utilitaria", Class: "car", Seats: 4, Carries: carpool.Needs{WalkingFrame: i%2 == 0, ChildSeats: 2}})
			return string(v.ID), err
		}))
		s.vehicles = append(s.vehicles, v)
		s.once(n+" papers", func() (string, error) { return s.papers(i, "2030-01-01", d.until) })
		s.once(n+" out", func() (string, error) { return s.offer(i, "out", d.from, d.to, d.out) })
		s.once(n+" back", func() (string, error) { return s.offer(i, "back", d.to, d.from, d.back) })
	}
}

func account(i int) string { return fmt.Sprintf("r-residente%d", i) }

func (s *season) comune(p carpool.PlaceID) string {
	i := slices.IndexFunc(s.plan.places, func(pl carpool.Place) bool { return pl.ID == p })
	return s.plan.places[i].Comune
}

func (s *season) spot(p carpool.PlaceID) carpool.Spot {
	i := slices.IndexFunc(s.plan.places, func(pl carpool.Place) bool { return pl.ID == p })
	return carpool.Spot{Place: p, At: s.plan.places[i].At}
}

// papers are asked for and passed.
func (s *season) papers(i int, until, licence carpool.Date) (string, error) {
	ctx, by := s.t.Context(), self("r-autista"+fmt.Sprint(i), s.drivers[i])
	mine, err := s.portal.Trust.Mine(ctx, s.drivers[i])
	if err != nil {
		return "", err
	}
	j := slices.IndexFunc(mine, func(c carpool.Check) bool { return c.State == carpool.CheckWaiting })
	var c carpool.Check
	if j >= 0 {
		c = mine[j]
	} else if c, err = s.portal.Trust.Ask(ctx, by, s.vehicles[i], carpool.Check{Licence: licence, Insurance: until, Roadworthy: until}, nil); err != nil {
		return "", err
	}
	c, err = s.portal.Trust.Decide(ctx, vigile, c.ID, carpool.Decision{Pass: true, Licence: licence, Insurance: until, Roadworthy: until})
	return c.ID, err
}

func (s *season) offer(i int, way string, from, to carpool.PlaceID, at carpool.Clock) (string, error) {
	o, err := s.portal.Offers.Add(s.t.Context(), self("r-autista"+fmt.Sprint(i), s.drivers[i]), carpool.Offer{
		Driver: s.drivers[i], Vehicle: s.vehicles[i], From: s.spot(from), To: s.spot(to), Seats: 3, MaxDetour: 15 * time.Minute,
		Carries: carpool.Needs{WalkingFrame: i%2 == 0, ChildSeats: 2}, MilliEURKm: 50,
		When: carpool.Schedule{Time: at, Rule: "FREQ=WEEKLY;BYDAY=" + s.plan.drivers[i].days, First: carpool.DateOf(seasonStart, rome)},
	}, fmt.Sprintf("offer-%d-%s", i, way))
	return string(o.ID), err
}

// rider of a trip.
func (s *season) rider(p plannedTrip) carpool.MemberID {
	if p.minor {
		return s.minors[p.rider]
	}
	return s.residents[p.rider]
}

// by is who acts for a resident.
func (s *season) by(p plannedTrip) carpool.By {
	if p.minor {
		return carpool.By{Account: sportello.Account, Desk: true, Member: s.minors[p.rider]}
	}
	if p.phone || p.rider%5 < 3 {
		return carpool.By{Account: sportello.Account, Desk: true, Member: s.residents[p.rider]}
	}
	return self(account(p.rider), s.residents[p.rider])
}

// quiet says that an error is an answer to be lived with: somebody was faster,
// it is too late, no lift fits.
func quiet(err error) bool {
	return err == nil || slices.Contains([]fault.Kind{fault.Conflict, fault.Denied, fault.NotFound}, fault.Of(err)) || fault.Of(err) == fault.Invalid
}

func (s *season) check(what string, err error) {
	if !quiet(err) && !errors.Is(err, context.Canceled) {
		s.t.Fatalf("%s: %s: %v", s.time().In(rome).Format("Mon 2006-01-02 15:04"), what, err)
	}
}
