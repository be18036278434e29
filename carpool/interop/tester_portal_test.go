package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// testerHill is the real portal with drivers, riders and bookings of the kind
// that the tester's requests are about, made by the portal's own methods.
type testerHill struct {
	*hill
	drivers map[carpool.MemberID]carpool.By
	trips   map[[2]carpool.PlaceID][]DriverJourney
	rides   int
}

// testPortal sends the tester's requests to the real portal over HTTP. Names,
// checks and expectations stay those of the tester; its places, days and people
// are those of the portal, which has no meeting point in the ocean and no lift
// in 1970.
func testPortal(t *testing.T, bin, script string) (said string) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newTesterHill(t, db)
		srv := httptest.NewServer(h.Handler())
		defer srv.Close()
		c := runTester(t, bin, h.translate(script), srv.URL, h.key[friends])
		said += fmt.Sprintf("tester with the real portal on %s: %v; ", db.Kind(), c)
		if got := c.failed(); len(got) > 0 {
			t.Errorf("refused: %q\n%s", got, c.out)
		}
	})
	return said
}

// allowAll gives the tester's operator every scope.
func (h *testerHill) allowAll() {
	if err := h.Operators.Revoke(h.t.Context(), friends); err != nil {
		h.t.Fatal(err)
	}
	k, err := h.Operators.Add(h.t.Context(), Operator{ID: friends, Name: friends, Scopes: Scopes()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.key[friends] = k.Key
}

func newTesterHill(t *testing.T, db *store.DB) *testerHill {
	h := &testerHill{hill: newHill(t, db), drivers: map[carpool.MemberID]carpool.By{}}
	h.allowAll()
	for n := range 6 {
		if n > 0 {
			h.drive(fmt.Sprintf("AC12%dCD", n))
		}
		h.drivers[h.driver.Member] = h.driver
		h.offer(func(o *carpool.Offer) {
			o.When = carpool.Schedule{Time: "07:30", Rule: "FREQ=WEEKLY;BYDAY=MO", First: "2026-11-23"}
		})
	}
	// Three lifts of the first Monday took place: their drivers had said yes. One
	// is validated, one its driver has called done, one nobody has.
	h.look(time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC))
	const validated, done = "1b06f7b5-67c7-f231-9bf3-9f28aa391537", "0ad346f9-e692-3ab1-d2f0-91785e9ca0ea"
	for n, id := range []string{validated, done, "68087cc0-282c-35d9-ad8b-51bf6a35a933"} {
		h.book(id, fmt.Sprintf("v-%d", n))
		h.drives(id, h.portal.Bookings.Accept)
	}
	h.world.now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, st := range []Status{Completed, Validated} {
		h.ask(friends, "PATCH", "/bookings/"+validated+"?status="+string(st), nil).want(t, 200, "")
	}
	h.drives(done, h.portal.Bookings.Complete)
	// All others are of the second.
	h.world.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	h.look(time.Date(2026, 11, 30, 7, 0, 0, 0, time.UTC))
	for n, id := range []string{"85fbe72b-6064-2890-04a5-31f967898df5", "590c1440-9888-b5b0-7d51-a817ee07c3f2",
		"2f8282cb-e2f9-696f-3144-c0aa4ced56db", "ce140275-2398-b471-e9a9-4ddcec56059b"} {
		h.book(id, fmt.Sprintf("w-%d", n))
	}
	h.book(ofAlice, "2")
	h.book(ofEve, "5")
	for n, id := range []string{"f84f0c93-2990-ae59-ee94-8e4413ce4e81", "b2892d57-f402-cd4a-2c11-08cc823ae0c5"} {
		h.book(id, fmt.Sprintf("x-%d", n))
		h.ask(friends, "PATCH", "/bookings/"+id+"?status=CANCELLED", nil).want(t, 200, "")
	}
	// Two drivers say yes: of one the operator has been told, of one not yet.
	for _, id := range []string{"ffda9299-b1d9-fafa-3d47-844c536f73c2", "cc8c67ad-62d4-b3b1-ee30-02a37a51035f"} {
		if err := h.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.book(id, "y-"+id)
		h.drives(id, h.portal.Bookings.Accept)
	}
	rider := h.resident("Residente", "Segreto")
	for pair, list := range h.trips {
		at := list[0].PickupDate.Time()
		if _, err := h.portal.Bookings.RequestAgain(t.Context(), rider, carpool.Request{From: carpool.Spot{Place: pair[0]}, To: carpool.Spot{Place: pair[1]},
			When: carpool.Window{From: at, To: at.Add(time.Hour)}}, nil, carpool.Repeat{Days: []time.Weekday{time.Monday}, Until: "2026-12-21"}, ""); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// Bookings of the tester's people who send messages.
const (
	ofAlice = "e2807d9c-1dce-26af-00ca-81d4fe11c23e"
	ofEve   = "1c0d3d5e-4b1f-4f43-9b0e-7a6f2b8e5c05"
)

// Ends of the tester's searches: its 0, 0 and its one town.
func ends(departure, arrival string) [2]carpool.PlaceID {
	pair := [2]carpool.PlaceID{"bergolo", "alba"}
	if departure != "0" {
		pair[0] = "niella"
	}
	if arrival != "0" {
		pair[1] = "niella"
	}
	return pair
}

func pointOf(id carpool.PlaceID) geo.LonLat {
	return geo.LonLat{Lon: points[slices.IndexFunc(points, func(p struct {
		id  carpool.PlaceID
		lon float64
	}) bool {
		return p.id == id
	})].lon, Lat: pointLat}
}

// look finds the lifts of a morning, as any operator does.
func (h *testerHill) look(at time.Time) {
	h.t.Helper()
	h.trips = map[[2]carpool.PlaceID][]DriverJourney{}
	for _, pair := range [][2]carpool.PlaceID{ends("0", "0"), ends("46", "0"), ends("0", "46")} {
		list := h.search(friends, h.path("driver_journeys", func(q url.Values) {
			placed(q, pair)
			q.Set("departureDate", fmt.Sprint(at.Unix()))
		}))
		if len(list) != 6 {
			h.t.Fatalf("%v: %d lifts", pair, len(list))
		}
		h.trips[pair] = list
	}
}

func placed(q url.Values, pair [2]carpool.PlaceID) {
	for n, end := range []string{"departure", "arrival"} {
		at := pointOf(pair[n])
		q.Set(end+"Lat", fmt.Sprint(at.Lat))
		q.Set(end+"Lng", fmt.Sprint(at.Lon))
	}
}

// fill gives a booking a lift of the portal, each the next.
func (h *testerHill) fill(id, passenger string) Booking {
	list := h.trips[ends("0", "0")]
	b := bookable(1, list[h.rides%len(list)])
	h.rides++
	b.ID, b.Passenger.ID = id, passenger
	return b
}

// book makes a booking as the operator does.
func (h *testerHill) book(id, passenger string) {
	h.t.Helper()
	h.ask(friends, "POST", "/bookings", h.fill(id, passenger)).want(h.t, 201, "")
}

// drives is what the driver of an operator's booking says, by the portal's own
// method.
func (h *testerHill) drives(id string, say func(context.Context, carpool.By, carpool.BookingID, string) (carpool.Booking, error)) {
	h.t.Helper()
	e, err := h.Server.find(h.t.Context(), friends, id)
	if err != nil {
		h.t.Fatal(err)
	}
	bk, _, err := h.portal.Bookings.OutsideBooking(h.t.Context(), carpool.BookingID(e.ref))
	if err == nil {
		_, err = say(h.t.Context(), h.drivers[bk.Driver], bk.ID, "")
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

var (
	urls   = regexp.MustCompile(`"\$SERVER/([a-z_]+)\?([^"]*)"`)
	bodies = regexp.MustCompile(`<<< '([^']*)'`)
)

// translate puts the portal's places, days and people into the tester's
// requests; what they ask, and what they expect, is untouched.
func (h *testerHill) translate(script string) string {
	script = urls.ReplaceAllStringFunc(script, func(s string) string {
		m := urls.FindStringSubmatch(s)
		q, err := url.ParseQuery(m[2])
		if err != nil {
			h.t.Fatal(err)
		}
		pair := ends(q.Get("departureLat"), q.Get("arrivalLat"))
		placed(q, pair)
		at := h.trips[pair][0].PickupDate.Time()
		for name, v := range map[string]string{"departureDate": fmt.Sprint(at.Unix()), "departureTimeOfDay": at.In(rome(h.t)).Format(time.TimeOnly),
			"minDepartureDate": fmt.Sprint(at.AddDate(0, 0, -1).Unix()), "maxDepartureDate": fmt.Sprint(at.AddDate(0, 0, 6).Unix())} {
			if q.Has(name) {
				q.Set(name, v)
			}
		}
		return `"$SERVER/` + m[1] + "?" + q.Encode() + `"`
	})
	return bodies.ReplaceAllStringFunc(script, func(s string) string {
		var in struct {
			ID        string
			To, From  *User
			Message   string
			Recipient string `json:"recipientCarpoolerType"`
			Passenger *User
			Data      map[string]any
		}
		if err := json.Unmarshal([]byte(bodies.FindStringSubmatch(s)[1]), &in); err != nil {
			h.t.Fatal(err)
		}
		var out any
		switch {
		case in.To != nil:
			out = h.message(*in.From, *in.To, in.Message, in.Recipient)
		case in.Passenger != nil:
			out = h.fill(in.ID, "n-"+in.ID)
		default: // an event: the day alone is of the portal
			var event map[string]any
			if err := json.Unmarshal([]byte(bodies.FindStringSubmatch(s)[1]), &event); err != nil {
				h.t.Fatal(err)
			}
			in.Data["passengerPickupDate"] = h.trips[ends("0", "0")][0].PickupDate
			event["data"] = in.Data
			out = event
		}
		text, err := json.Marshal(out)
		if err != nil {
			h.t.Fatal(err)
		}
		return "<<< '" + string(text) + "'"
	})
}

// message is one of the tester's: bob and fanny drive here, david nobody
// knows, and alice and eve have bookings with those to whom they write.
func (h *testerHill) message(from, to User, text, recipient string) Message {
	from.Operator, to.Operator = friends, ours
	m := Message{From: from, To: to, Message: text, Recipient: recipient}
	about := map[string]string{"bob": ofAlice, "fanny": ofEve}[to.Alias]
	if about == "" {
		return m
	}
	e, err := h.Server.find(h.t.Context(), friends, about)
	if err != nil {
		h.t.Fatal(err)
	}
	m.To.ID, m.Booking = e.Driver.ID, e.ID
	return m
}

func rome(t testing.TB) *time.Location {
	t.Helper()
	in, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return in
}
