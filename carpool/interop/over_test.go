package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/roads"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// hill is the real portal behind the API: four meeting points in a row, a
// driver who goes from the first to the last, and a clock.
type hill struct {
	*world
	portal *carpool.Portal
	driver carpool.By
	car    carpool.VehicleID
	n      int
}

var points = []struct {
	id  carpool.PlaceID
	lon float64
}{{"bergolo", 8.0}, {"niella", 8.1}, {"bossolasco", 8.2}, {"alba", 8.5}}

const pointLat = 44.55

func newHill(t testing.TB, db *store.DB) *hill {
	t.Helper()
	h := &hill{}
	in, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	late := &lateBound{}
	h.world = newWorld(t, db, late, nil)
	h.world.now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	db.SetClock(func() time.Time { return h.world.now })
	ways := roads.NewEstimate()
	cfg := carpool.Default()
	cfg.Location = in
	h.portal, err = carpool.New(cfg, carpool.Deps{Store: db, Audit: h.log, Outbox: h.box, Roads: ways, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err == nil {
		err = h.portal.Open(t.Context())
	}
	if err == nil {
		late.Portal, err = Over(h.portal, h.Server.cfg, OverDeps{Roads: ways, Location: in, Now: func() time.Time { return h.world.now }})
	}
	if err == nil {
		err = h.Server.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range points {
		_, err := h.portal.Places.Put(t.Context(), carpool.By{Account: "office"}, carpool.Place{ID: p.id, Comune: fmt.Sprintf("00400%d", i), Name: "Piazza " + string(p.id),
			At: geo.LonLat{Lon: p.lon, Lat: pointLat}, Kind: carpool.Square, Lit: true, StepFree: true})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.drive("AB123CD")
	return h
}

// drive lets a driver in, whose offers come from now on.
func (h *hill) drive(plate string) {
	h.t.Helper()
	h.driver = h.resident("Autista", "Cognomi")
	v, err := h.portal.Members.PutVehicle(h.t.Context(), h.driver, carpool.Vehicle{Driver: h.driver.Member, Plate: plate, Label: "Panda rossa", Class: "car", Seats: 4})
	if err != nil {
		h.t.Fatal(err)
	}
	h.car = v.ID
	err = h.db.Do(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(h.t.Context(), `INSERT INTO carpool_checks (id, driver, vehicle, state, licence, insurance, roadworthy, reason, officer, asked_ms, decided_ms)
			VALUES ($3, $1, $2, 'passed', '2028-12-31', '2028-12-31', '2028-12-31', '', 'p-1', 1, 1)`, string(h.driver.Member), string(v.ID), "c-"+plate)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// lateBound lets the server be made before its portal.
type lateBound struct{ Portal }

func (l *lateBound) open(secret []byte) {
	if o, ok := l.Portal.(*over); ok {
		o.open(secret)
	}
}

func (h *hill) resident(first, last string) carpool.By {
	h.t.Helper()
	h.n++
	account := fmt.Sprintf("r-%d", h.n)
	m, err := h.portal.Members.Register(h.t.Context(), carpool.By{Account: account}, carpool.Registration{How: "page",
		Member: carpool.Member{First: first, Last: last, Phone: fmt.Sprintf("+39333%07d", h.n), Comune: "004000"}, Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentCheck}})
	if err != nil {
		h.t.Fatal(err)
	}
	return carpool.By{Account: account, Member: m.ID}
}

func (h *hill) offer(change func(*carpool.Offer)) carpool.Offer {
	h.t.Helper()
	o := carpool.Offer{Vehicle: h.car, From: carpool.Spot{Place: "bergolo"}, To: carpool.Spot{Place: "alba"}, Seats: 3, MilliEURKm: 50, MaxDetour: 10 * time.Minute,
		When: carpool.Schedule{Time: "07:30", Date: "2026-11-23"}}
	if change != nil {
		change(&o)
	}
	o, err := h.portal.Offers.Add(h.t.Context(), h.driver, o, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// path of a search from niella to alba on Monday between 07:00 and 09:00.
func (h *hill) path(kind string, change func(url.Values)) string {
	q := url.Values{"departureLat": {"44.5505"}, "departureLng": {"8.1005"}, "arrivalLat": {"44.55"}, "arrivalLng": {"8.5"}, "departureDate": {fmt.Sprint(time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC).Unix())}, "timeDelta": {"3600"}}
	if change != nil {
		change(q)
	}
	return "/" + kind + "?" + q.Encode()
}

func (h *hill) search(op, path string) []DriverJourney {
	h.t.Helper()
	got := h.ask(op, "GET", path, nil)
	got.want(h.t, 200, "")
	var out []DriverJourney
	if err := json.Unmarshal([]byte(got.body), &out); err != nil {
		h.t.Fatalf("%s: %v", got.body, err)
	}
	return out
}

// bookable is a booking of a journey that a search found.
func bookable(n int, j DriverJourney) Booking {
	b := posted(n)
	b.Driver, b.DriverJourney, b.PickupDate = j.Driver, j.ID, j.PickupDate
	b.PickupLat, b.PickupLng, b.DropLat, b.DropLng, b.Price = j.PickupLat, j.PickupLng, j.DropLat, j.DropLng, *j.Price
	return b
}

// An operator finds a lift, books it, the driver accepts, the operator is
// told, cancels, and the seat is free again. All of it is as the standard says.
func TestOverStory(t *testing.T) {
	l := readLaw(t)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHill(t, db)
		h.offer(nil)
		path := h.path("driver_journeys", nil)
		got := h.ask(friends, "GET", path, nil)
		if err := l.broken("GET", path, got.status, got.header, got.body); err != nil {
			t.Error(err)
		}
		list := h.search(friends, path)
		if len(list) != 1 || list[0].Driver.Alias != "Conducente" || *list[0].Seats != 3 || list[0].PickupAddress != "Piazza niella" || list[0].Price.Type != "PAYING" {
			t.Fatalf("%s", got.body)
		}
		for _, secret := range []string{"Cognomi", "333", string(h.driver.Member), "AB123CD", "Panda"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%q is told: %s", secret, got.body)
			}
		}
		b := bookable(1, list[0])
		got = h.ask(friends, "POST", "/bookings", b)
		got.want(t, 201, `"WAITING_CONFIRMATION"`)
		if err := l.broken("POST", "/bookings", got.status, got.header, got.body); err != nil {
			t.Error(err)
		}
		if again := h.ask(friends, "POST", "/bookings", b); again.status != 201 || again.body != got.body {
			t.Errorf("again: %d %s", again.status, again.body)
		}
		mine, err := h.portal.Bookings.Mine(t.Context(), h.driver.Member, h.world.now, h.world.now.AddDate(0, 0, 7))
		if err != nil || len(mine) == 0 {
			t.Fatal(len(mine), err)
		}
		id := h.only("SELECT id, state FROM carpool_bookings")
		view, err := h.portal.Bookings.Get(t.Context(), h.driver, carpool.BookingID(id))
		if err != nil || view.RiderIs.First != "Ospite" || view.RiderIs.Phone != "" {
			t.Errorf("the driver sees %+v, %v", view.RiderIs, err)
		}
		if _, err := h.portal.Bookings.Accept(t.Context(), h.driver, carpool.BookingID(id), ""); err != nil {
			t.Fatal(err)
		}
		h.ask(friends, "GET", "/bookings/"+b.ID, nil).want(t, 200, `"CONFIRMED"`)
		if err := h.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := Message{From: b.Passenger, To: list[0].Driver, Message: "Sono in anticipo", Recipient: "DRIVER", Booking: b.ID}
		h.ask(friends, "POST", "/messages", m).want(t, 201, "")
		words, err := h.portal.Talk.Read(t.Context(), h.driver, carpool.BookingID(id))
		if err != nil || len(words) != 1 || words[0].Text != "Sono in anticipo" {
			t.Errorf("the driver reads %+v, %v", words, err)
		}
		m.From.ID = "un-altro"
		h.ask(friends, "POST", "/messages", m).want(t, 400, "from")
		h.ask(friends, "PATCH", "/bookings/"+b.ID+"?status=COMPLETED_PENDING_VALIDATION", nil).want(t, 400, "")
		h.ask(friends, "PATCH", "/bookings/"+b.ID+"?status=CANCELLED&message=malato", nil).want(t, 200, "")
		h.ask(friends, "PATCH", "/bookings/"+b.ID+"?status=CANCELLED", nil).want(t, 409, "status_already_set")
		if list = h.search(friends, path); len(list) != 1 || *list[0].Seats != 3 {
			t.Errorf("after the cancellation: %+v", list)
		}
		h.quiet()
	})
}

// A lift is found at its very moment, however narrow the question, and not a
// minute beside it.
func TestOverNarrow(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	h.offer(nil)
	at := h.search(friends, h.path("driver_journeys", nil))[0].PickupDate
	for off, want := range map[int64]int{0: 1, 10: 1, 11: 0, -60: 0} {
		got := h.search(friends, h.path("driver_journeys", func(q url.Values) {
			q.Set("departureDate", fmt.Sprint(int64(at)+off))
			q.Set("timeDelta", "10")
		}))
		if len(got) != want {
			t.Errorf("%d s beside: %d lifts, want %d", off, len(got), want)
		}
	}
}

// only gives the first column of the one row of a query.
func (h *hill) only(query string) string {
	h.t.Helper()
	rows := strings.Split(strings.TrimSpace(h.dump(query)), "\n")
	if len(rows) != 1 {
		h.t.Fatalf("%d rows of %s: %v", len(rows), query, rows)
	}
	id, _, _ := strings.Cut(rows[0], " ")
	return id
}

// quiet fails when a passenger of another operator was told anything here, or
// waits for anything.
func (h *hill) quiet() {
	h.t.Helper()
	if got := h.dump(`SELECT kind, member FROM carpool_notices WHERE member LIKE 'g-%'`); got != "" {
		h.t.Errorf("a guest was told: %s", got)
	}
	if got := h.dump(`SELECT id, state FROM carpool_requests WHERE rider LIKE 'g-%' AND state NOT IN ('done', 'withdrawn')`); got != "" {
		h.t.Errorf("a guest's request goes on: %s", got)
	}
	left, err := h.portal.Bookings.LeftBehind(h.t.Context())
	if err != nil || len(left) > 0 {
		h.t.Errorf("left behind: %v, %v", left, err)
	}
}

// A driver who says no, or nothing, ends it: nobody else is asked for another
// operator's passenger.
func TestOverDeclined(t *testing.T) {
	for name, end := range map[string]func(h *hill, id carpool.BookingID){
		"no": func(h *hill, id carpool.BookingID) {
			if _, err := h.portal.Bookings.Decline(h.t.Context(), h.driver, id, ""); err != nil {
				h.t.Fatal(err)
			}
		},
		"nothing": func(h *hill, _ carpool.BookingID) {
			h.world.now = h.world.now.Add(13 * time.Hour)
			if err := h.portal.Bookings.Round(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHill(t, storetest.SQLite(t))
			h.offer(nil)
			h.drive("AB124CD")
			h.offer(func(o *carpool.Offer) { o.When.Time = "07:40" })
			list := h.search(friends, h.path("driver_journeys", nil))
			if len(list) != 2 {
				t.Fatalf("%d lifts", len(list))
			}
			h.ask(friends, "POST", "/bookings", bookable(1, list[slices.IndexFunc(list, func(j DriverJourney) bool { return h.mine(j) })])).want(t, 201, "")
			end(h, carpool.BookingID(h.only("SELECT id, state FROM carpool_bookings")))
			h.ask(friends, "GET", "/bookings/"+posted(1).ID, nil).want(t, 200, `"CANCELLED"`)
			h.only("SELECT id, state FROM carpool_bookings")
			if err := h.portal.Bookings.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.only("SELECT id, state FROM carpool_bookings")
			h.quiet()
		})
	}
}

// mine says whether a journey is of the driver who came last.
func (h *hill) mine(j DriverJourney) bool {
	name, ok := h.Server.deps.Portal.(*lateBound).Portal.(*over).names.open(kindUser, friends, j.Driver.ID, 1)
	return ok && name[0] == string(h.driver.Member)
}

// Blocks are kept, lifts that are not there cannot be booked, names of one
// operator are nothing to another, and none of it says why.
func TestOverRefuses(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	h.offer(nil)
	path := h.path("driver_journeys", nil)
	list := h.search(friends, path)
	theirs := h.search(others, path)
	if len(list) != 1 || len(theirs) != 1 || list[0].ID == theirs[0].ID || list[0].Driver.ID == theirs[0].Driver.ID {
		t.Fatalf("two operators, one name: %+v", theirs)
	}
	for name, spoil := range map[string]func(*Booking){
		"no such journey":           func(b *Booking) { b.DriverJourney = "AAAA" },
		"another operator's name":   func(b *Booking) { b.DriverJourney = theirs[0].ID },
		"no such driver":            func(b *Booking) { b.Driver.ID = "AAAA" },
		"another operator's driver": func(b *Booking) { b.Driver.ID = theirs[0].Driver.ID },
		"another place":             func(b *Booking) { b.PickupLat += 0.01 },
		"another day":               func(b *Booking) { b.PickupDate += 86400 },
		"long ago":                  func(b *Booking) { b.PickupDate = 1 },
	} {
		b := bookable(1, list[0])
		spoil(&b)
		got := h.ask(friends, "POST", "/bookings", b)
		got.want(t, 400, "error")
		if strings.Contains(got.body, "m-") || strings.Contains(got.body, "r-") {
			t.Errorf("%s: it names what is inside: %s", name, got.body)
		}
	}
	h.ask(friends, "POST", "/bookings", bookable(2, list[0])).want(t, 201, "")
	guest := h.only("SELECT rider, state FROM carpool_bookings")
	if err := h.portal.Members.Block(t.Context(), h.driver, carpool.MemberID(guest)); err != nil {
		t.Fatal(err)
	}
	m := Message{From: posted(2).Passenger, To: list[0].Driver, Message: "Perché?", Recipient: "DRIVER", Booking: posted(2).ID}
	h.ask(friends, "POST", "/messages", m).want(t, 400, "has ended") // by the block
	h.ask(friends, "PATCH", "/bookings/"+posted(2).ID+"?status=CANCELLED", nil).want(t, 409, "status_already_set")
	again := bookable(3, list[0])
	again.Passenger = posted(2).Passenger
	h.ask(friends, "POST", "/bookings", again).want(t, 201, "WAITING_CONFIRMATION") // as anybody; the driver does not hear of it
	if n := h.only("SELECT unseen, count(*) FROM carpool_bookings WHERE unseen = 1"); n != "1" {
		t.Errorf("the driver hears of a blocked guest: %s", n)
	}
	h.ask(friends, "PATCH", "/bookings/"+again.ID+"?status=CANCELLED", nil).want(t, 200, "")
	h.ask(friends, "POST", "/bookings", bookable(4, list[0])).want(t, 201, "") // somebody else is not blocked
	m.Booking = ""
	h.ask(friends, "POST", "/messages", m).want(t, 400, "bookingId")
	m.To.ID = "nessuno"
	h.ask(friends, "POST", "/messages", m).want(t, 404, "")
	m.To.ID = list[0].Driver.ID
	h.ask(friends, "PATCH", "/bookings/"+posted(4).ID+"?status=CANCELLED", nil).want(t, 200, "")
	h.quiet()
}

// Seats are never oversold, however many ask at once.
func TestOverSeats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHill(t, db)
		h.offer(func(o *carpool.Offer) { o.Seats = 1 })
		list := h.search(friends, h.path("driver_journeys", nil))
		if len(list) != 1 {
			t.Fatal(len(list))
		}
		var wg sync.WaitGroup
		for n := range 6 {
			wg.Go(func() { h.ask(friends, "POST", "/bookings", bookable(n+1, list[0])) })
		}
		wg.Wait()
		accepted := 0
		for _, row := range strings.Split(strings.TrimSpace(h.dump("SELECT id, state FROM carpool_bookings")), "\n") {
			id, _, _ := strings.Cut(row, " ")
			if _, err := h.portal.Bookings.Accept(t.Context(), h.driver, carpool.BookingID(id), ""); err == nil {
				accepted++
			}
		}
		if accepted != 1 {
			t.Errorf("one seat, %d passengers", accepted)
		}
	})
}

// No search of an operator tells more of a door than its cell: the same lift
// from two doors in one cell gives the same answers everywhere.
func TestOverTellsNoDoor(t *testing.T) {
	cell := carpool.CellOf(geo.LonLat{Lon: 8.05, Lat: 44.56}).Middle()
	var answers []string
	for _, door := range []geo.LonLat{{Lon: cell.Lon - 0.004, Lat: cell.Lat - 0.003}, {Lon: cell.Lon + 0.004, Lat: cell.Lat + 0.003}} {
		h := newHill(t, storetest.SQLite(t))
		h.offer(func(o *carpool.Offer) {
			o.From, o.DoorToDoor = carpool.Spot{Address: "strada Bassa 1", At: door}, true
		})
		said := ""
		for lat := 44.53; lat < 44.60; lat += 0.01 {
			for lon := 7.98; lon < 8.25; lon += 0.03 {
				for _, j := range h.search(friends, h.path("driver_journeys", func(q url.Values) {
					q.Set("departureLat", fmt.Sprint(lat))
					q.Set("departureLng", fmt.Sprint(lon))
					q.Set("departureRadius", "10")
				})) {
					text := fmt.Sprintf("%.3f %.3f: %v %v %d %d\n", lat, lon, j.PickupLat, j.PickupLng, j.PickupDate, j.Duration)
					said += text
					if p := (geo.LonLat{Lon: j.PickupLng, Lat: j.PickupLat}); p.Distance(door) < 50 {
						t.Errorf("a pick-up at the door: %s", text)
					}
				}
			}
		}
		answers = append(answers, said)
	}
	if answers[0] == "" {
		t.Fatal("no lift was found at all")
	}
	if answers[0] != answers[1] {
		t.Error("two doors in one cell give different answers")
	}
}

// All questions of an operator from one cell have one answer, though the
// radius cuts through the meeting points around; each answer lies within the
// radius. At a meeting point the radius is measured from it.
func TestOverConstantInCell(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	h.offer(nil)
	some := 0
	for radius := 0.5; radius < 8; radius += 0.5 {
		for col := range 12 {
			middle := carpool.CellOf(geo.LonLat{Lon: 8.0 + float64(col)*0.0125, Lat: pointLat}).Middle()
			var first string
			for n, off := range [][2]float64{{0, 0}, {0.4, 0.4}, {-0.45, 0.45}, {0.45, -0.45}, {-0.4, -0.45}} {
				at := geo.LonLat{Lon: middle.Lon + off[0]*0.0125, Lat: middle.Lat + off[1]/111}
				path := h.path("driver_journeys", func(q url.Values) {
					q.Set("departureLat", fmt.Sprint(at.Lat))
					q.Set("departureLng", fmt.Sprint(at.Lon))
					q.Set("departureRadius", fmt.Sprint(radius))
				})
				got := h.ask(friends, "GET", path, nil)
				if err := words(path, got.body); err != nil || got.status != 200 {
					t.Fatalf("%s: %d, %v", path, got.status, err)
				}
				if n == 0 {
					first = got.body
				} else if got.body != first {
					t.Errorf("radius %v km, %v in the cell of %v: %s, and from its middle %s", radius, at, middle, got.body, first)
				}
			}
			if len(first) > 4 {
				some++
			}
		}
	}
	if some < 10 {
		t.Errorf("only %d cells with a lift: the test shows nothing", some)
	}
	if got := h.search(friends, h.path("driver_journeys", func(q url.Values) {
		q.Set("departureRadius", "0.1")
	})); len(got) != 1 {
		t.Errorf("from a meeting point: %+v", got)
	}
}

// Only the driver confirms: an operator's word before that is refused, after it
// taken once, as what it had not been told yet.
func TestOverConfirmed(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	h.offer(nil)
	list := h.search(friends, h.path("driver_journeys", nil))
	b := bookable(1, list[0])
	h.ask(friends, "POST", "/bookings", b).want(t, 201, "")
	says := func(n int, st Status) reply {
		return h.ask(friends, "POST", "/booking_events", Event{ID: fmt.Sprintf("00000000-0000-4000-8000-00000000e%03d", n), Data: EventBooking{ID: b.ID, PickupDate: b.PickupDate,
			PickupLat: b.PickupLat, PickupLng: b.PickupLng, DropLat: b.DropLat, DropLng: b.DropLng, Status: st, WebURL: "https://covoit.valle.example", Passenger: &b.Passenger}})
	}
	for n, st := range []Status{Confirmed, Completed, Validated} {
		says(n, st).want(t, 400, "error")
		h.ask(friends, "PATCH", "/bookings/"+b.ID+"?status="+string(st), nil).want(t, 400, "error")
	}
	h.ask(friends, "GET", "/bookings/"+b.ID, nil).want(t, 200, `"WAITING_CONFIRMATION"`)
	if _, err := h.portal.Bookings.Accept(t.Context(), h.driver, carpool.BookingID(h.only("SELECT id, state FROM carpool_bookings")), ""); err != nil {
		t.Fatal(err)
	}
	says(10, Confirmed).want(t, 200, "")
	says(11, Confirmed).want(t, 400, "status_already_set")
	h.ask(friends, "GET", "/bookings/"+b.ID, nil).want(t, 200, `"CONFIRMED"`)
}

// Lifts that go again and again are told with their days; those of one day are
// not.
func TestOverRegular(t *testing.T) {
	l := readLaw(t)
	h := newHill(t, storetest.SQLite(t))
	h.offer(func(o *carpool.Offer) { o.When.Date = "2026-11-24" })
	h.offer(func(o *carpool.Offer) {
		o.When = carpool.Schedule{Time: "07:30", Rule: "FREQ=WEEKLY;BYDAY=MO,TH", First: "2026-11-23"}
	})
	path := h.path("driver_regular_trips", func(q url.Values) {
		q.Del("departureDate")
		q.Set("departureTimeOfDay", "08:00:00")
	})
	got := h.ask(friends, "GET", path, nil)
	if err := l.broken("GET", path, got.status, got.header, got.body); err != nil {
		t.Error(err)
	}
	var trips []DriverTrip
	if err := json.Unmarshal([]byte(got.body), &trips); err != nil || len(trips) != 1 || len(trips[0].Schedules) != 2 {
		t.Fatalf("%s, %v", got.body, err)
	}
	if days := trips[0].Schedules[0].Day + trips[0].Schedules[1].Day; days != "MONTHU" {
		t.Errorf("days %s", days)
	}
	h.ask(friends, "GET", path+"&departureWeekdays=TUE", nil).want(t, 200, "[]")
	after := fmt.Sprintf("&minDepartureDate=%d", trips[0].Schedules[0].Journeys[0].PickupDate+60)
	got = h.ask(friends, "GET", path+after, nil)
	if err := json.Unmarshal([]byte(got.body), &trips); err != nil || len(trips) != 1 || len(trips[0].Schedules) != 1 || trips[0].Schedules[0].Day != "THU" {
		t.Errorf("after the pick-up of Monday: %s, %v", got.body, err)
	}
	h.ask(friends, "GET", strings.Replace(path, "driver_", "passenger_", 1), nil).want(t, 200, "[]")
}

// What residents look for is told without a word of who they are, and from
// doors not at all.
func TestOverPassengers(t *testing.T) {
	l := readLaw(t)
	h := newHill(t, storetest.SQLite(t))
	rider := h.resident("Residente", "Segreto")
	when := carpool.Window{From: time.Date(2026, 11, 23, 6, 30, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)}
	for _, from := range []carpool.Spot{{Place: "niella"}, {Address: "strada Alta 7", At: geo.LonLat{Lon: 8.102, Lat: 44.551}}} {
		if _, err := h.portal.Bookings.Request(t.Context(), rider, carpool.Request{From: from, To: carpool.Spot{Place: "alba"}, When: when, DoorToDoor: from.Private(), Note: "visita"}, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	path := h.path("passenger_journeys", nil)
	got := h.ask(friends, "GET", path, nil)
	if err := l.broken("GET", path, got.status, got.header, got.body); err != nil {
		t.Error(err)
	}
	var list []PassengerJourney
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list) != 1 || list[0].Passenger.Alias != "Passeggero" || list[0].PickupAddress != "Piazza niella" {
		t.Fatalf("%s, %v", got.body, err)
	}
	for _, secret := range []string{"Residente", "Segreto", "strada", "visita", string(rider.Member), "333"} {
		if strings.Contains(got.body, secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// cliff is a meeting point to which no road of the map leads.
type cliff struct {
	carpool.Roads
	at geo.LonLat
}

func (c cliff) Legs(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	if slices.Contains(from, c.at) || slices.Contains(to, c.at) {
		return nil, fault.New(fault.Invalid, "point[0]: 9.0 km from the nearest road of the map")
	}
	return c.Roads.Legs(ctx, from, to)
}

// A request from a place that the roads do not reach hides no other.
func TestOverPassengersOffTheRoads(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	when := carpool.Window{From: time.Date(2026, 11, 23, 6, 30, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)}
	for _, from := range []carpool.PlaceID{"bergolo", "niella"} {
		if _, err := h.portal.Bookings.Request(t.Context(), h.resident("Residente", "Prova"), carpool.Request{From: carpool.Spot{Place: from}, To: carpool.Spot{Place: "alba"}, When: when}, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	o := h.Server.deps.Portal.(*lateBound).Portal.(*over)
	s := Search{Operator: friends, From: geo.LonLat{Lon: 8.05, Lat: pointLat}, To: geo.LonLat{Lon: 8.5, Lat: pointLat}, FromKm: 10, ToKm: 10, At: when.From, Delta: time.Hour}
	if list, err := o.Passengers(t.Context(), s); err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	o.deps.Roads = cliff{o.deps.Roads, geo.LonLat{Lon: 8.0, Lat: pointLat}}
	list, err := o.Passengers(t.Context(), s)
	if err != nil || len(list) != 1 || list[0].PickupAddress != "Piazza niella" {
		t.Errorf("%+v, %v", list, err)
	}
}

// Journeys that residents ask for again and again are told with their days, out
// and home, without a word of who they are; from doors, of minors and single
// ones not.
func TestOverSeries(t *testing.T) {
	l := readLaw(t)
	h := newHill(t, storetest.SQLite(t))
	rider := h.resident("Residente", "Segreto")
	out := carpool.Window{From: time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	home := carpool.Window{From: out.From.Add(4 * time.Hour), To: out.To.Add(4 * time.Hour)}
	again := carpool.Repeat{Days: []time.Weekday{time.Tuesday, time.Thursday}, Until: "2026-12-31"}
	for _, from := range []carpool.Spot{{Place: "niella"}, {Address: "strada Alta 7", At: geo.LonLat{Lon: 8.102, Lat: 44.551}}} {
		r := carpool.Request{From: from, To: carpool.Spot{Place: "alba"}, When: out, DoorToDoor: from.Private(), Note: "terapia", Return: carpool.ReturnAt}
		if _, err := h.portal.Bookings.RequestAgain(t.Context(), rider, r, &home, again, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.portal.Bookings.Request(t.Context(), h.resident("Residente", "Altro"), carpool.Request{From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"}, When: out}, nil, ""); err != nil {
		t.Fatal(err)
	}
	ask := func(op, more string) (list []PassengerTrip) {
		t.Helper()
		path := h.path("passenger_regular_trips", func(q url.Values) {
			q.Del("departureDate")
			q.Set("departureTimeOfDay", "08:00:00")
		}) + more
		got := h.ask(op, "GET", path, nil)
		if err := l.broken("GET", path, got.status, got.header, got.body); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{"Residente", "Segreto", "strada", "terapia", string(rider.Member), "333"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%q is told", secret)
			}
		}
		if err := json.Unmarshal([]byte(got.body), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := ask(friends, "")
	if len(list) != 1 || len(list[0].Schedules) != 2 || list[0].Schedules[0].Day+list[0].Schedules[1].Day != "TUETHU" || list[0].PickupAddress != "Piazza niella" {
		t.Fatalf("%+v", list)
	}
	if theirs := ask(others, ""); len(theirs) != 1 || theirs[0].Passenger.ID == list[0].Passenger.ID {
		t.Errorf("two operators, one name: %+v", theirs)
	}
	if got := ask(friends, "&departureWeekdays=MON,WED"); len(got) != 0 {
		t.Errorf("on other days: %+v", got)
	}
	if got := ask(friends, "&minDepartureDate="+fmt.Sprint(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC).Unix())); len(got) != 0 {
		t.Errorf("after its end: %+v", got)
	}
	err := h.db.Do(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE carpool_members SET minor = 1 WHERE id = $1`, string(rider.Member))
		return err
	})
	if got := ask(friends, ""); err != nil || len(got) != 0 {
		t.Errorf("a minor's: %+v, %v", got, err)
	}
}

// A booking that was cut off is taken back, and the driver's seat with it.
func TestOverAbandoned(t *testing.T) {
	h := newHill(t, storetest.SQLite(t))
	h.offer(nil)
	list := h.search(friends, h.path("driver_journeys", nil))
	h.ask(friends, "POST", "/bookings", bookable(1, list[0])).want(t, 201, "")
	err := h.db.Do(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE interop_bookings SET ref = ''`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.world.now = h.world.now.Add(11 * time.Minute)
	if err := h.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.dump("SELECT id, state FROM carpool_bookings WHERE state <> 'cancelled'"); got != "" {
		t.Errorf("a booking goes on: %s", got)
	}
	h.quiet()
	// Long after, nothing of the guest is left.
	h.world.now = h.world.now.AddDate(0, 0, 100)
	for range 2 {
		if err := h.portal.Privacy.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.dump("SELECT id, first FROM carpool_members WHERE id LIKE 'g-%'") + h.dump("SELECT id, body FROM interop_bookings"); got != "" {
		t.Errorf("left: %s", got)
	}
}
