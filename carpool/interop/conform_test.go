package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/testdata"
)

// law is the standard as its OpenAPI file says it.
type law struct{ router routers.Router }

func readLaw(t testing.TB) law {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(testdata.Shared(t, "standards/standard-covoiturage/standard-covoiturage_openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Info.Title = "standard-covoiturage" // it is empty in the file, which OpenAPI forbids
	doc.Servers = openapi3.Servers{{URL: "http://127.0.0.1" + Prefix}}
	router, err := legacy.NewRouter(doc, openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	return law{router}
}

// broken says what of an answer breaks the standard: its schemas, or what its
// words say of radius, time, count, names and operators.
func (l law) broken(method, path string, status int, header http.Header, body string) error {
	r, err := http.NewRequest(method, "http://127.0.0.1"+Prefix+path, nil)
	if err != nil {
		return err
	}
	route, params, err := l.router.FindRoute(r)
	if err != nil {
		return err
	}
	opts := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: opts}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
		Status: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Options: opts})
	if err != nil {
		return err
	}
	response := route.Operation.Responses.Status(status)
	switch {
	case response.Value.Content == nil && body != "":
		return fmt.Errorf("the standard gives status %d no body", status)
	case status == http.StatusTooManyRequests && header.Get("Retry-After") == "":
		return errors.New("no Retry-After")
	case status >= 400 && response.Value.Content != nil && !strings.Contains(body, `"error"`):
		return errors.New("no error in the body")
	case status == http.StatusConflict && !strings.Contains(body, "status_already_set"):
		return errors.New("409 is status_already_set")
	case status == http.StatusOK && (strings.Contains(path, "_journeys") || strings.Contains(path, "_trips")):
		return words(path, body)
	}
	return nil
}

// words are the rules that the schemas do not hold.
func words(path, body string) error {
	u, err := url.Parse(path)
	if err != nil {
		return err
	}
	number := func(name string, otherwise float64) float64 {
		if v, err := strconv.ParseFloat(u.Query().Get(name), 64); err == nil {
			return v
		}
		return otherwise
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return err
	}
	if len(list) > int(number("count", math.MaxInt32)) {
		return errors.New("more than count")
	}
	seen := map[string]bool{}
	for _, j := range list {
		f := func(name string) float64 { v, _ := j[name].(float64); return v }
		for _, end := range [][2]string{{"departure", "passengerPickup"}, {"arrival", "passengerDrop"}} {
			asked := geo.LonLat{Lon: number(end[0]+"Lng", 0), Lat: number(end[0]+"Lat", 0)}
			if d := asked.Distance(geo.LonLat{Lon: f(end[1] + "Lng"), Lat: f(end[1] + "Lat")}); d.Km() > 1.01*number(end[0]+"Radius", 1) {
				return fmt.Errorf("%s is %v away", end[1], d)
			}
		}
		if strings.Contains(path, "journeys") && math.Abs(f("passengerPickupDate")-number("departureDate", 0)) > number("timeDelta", 900) {
			return errors.New("outside the time margin")
		}
		id, _ := j["id"].(string)
		if id != "" && seen[id] {
			return errors.New("an id stands twice")
		}
		seen[id] = true
		operator, _ := j["operator"].(string)
		if err := checkDomain(operator); err != nil {
			return err
		}
		for _, who := range []string{"driver", "passenger"} {
			if user, ok := j[who].(map[string]any); ok && (user["lastName"] != nil || user["id"] == "") {
				return errors.New("a surname, or a user without a name")
			}
		}
	}
	return nil
}

const (
	near    = "departureLat=44.581&departureLng=8.191&arrivalLat=44.70&arrivalLng=8.03"
	onDay   = "&departureDate=1795414200" // Monday 23 November 2026, 06:10 UTC
	regular = "&departureTimeOfDay=07:15:00"
)

// Every operation answers as the standard says, whatever is asked.
func TestConform(t *testing.T) { conform(t) }

// conform gives how many answers it looked at.
func conform(t *testing.T) (answers int) {
	l := readLaw(t)
	v := newVillage()
	w := newWorld(t, storetest.SQLite(t), v, nil)
	if monday.Unix() != 1795414200 {
		t.Fatalf("the Monday is %d", monday.Unix())
	}
	b := posted(1)
	event := Event{ID: "00000000-0000-4000-8000-00000000e001", Data: EventBooking{ID: b.ID, PickupDate: b.PickupDate, PickupLat: aLat, PickupLng: aLng, DropLat: bLat, DropLng: bLng,
		Status: Cancelled, WebURL: "https://covoit.valle.example", Passenger: &b.Passenger}}
	message := Message{From: b.Passenger, To: b.Driver, Message: "Buongiorno", Recipient: "DRIVER"}
	unknown := message
	unknown.To.ID = "nessuno"
	wrong := b
	wrong.ID = "x"
	for _, c := range []struct {
		op, method, path string
		body             any
		status           int
		holds            string
	}{
		{"", "GET", "/status", nil, 200, ""},
		{friends, "GET", "/driver_journeys?" + near + onDay, nil, 200, `"id":"j-1"`},
		{friends, "GET", "/driver_journeys?" + near + onDay + "&count=0", nil, 200, "[]"},
		{friends, "GET", "/driver_journeys?" + near + onDay + "&departureRadius=0.05", nil, 200, "[]"},
		{friends, "GET", "/driver_journeys?" + near + "&departureDate=1795400000", nil, 200, "[]"},
		{friends, "GET", "/driver_journeys?" + near, nil, 400, "departureDate"},
		{friends, "GET", "/driver_journeys?" + near + onDay + "&timeDelta=-1", nil, 400, "timeDelta"},
		{friends, "GET", "/driver_journeys?" + near + onDay + "&count=many", nil, 400, "count"},
		{"", "GET", "/driver_journeys?" + near + onDay, nil, 401, ""},
		{"wrong", "GET", "/driver_journeys?" + near + onDay, nil, 401, ""},
		{friends, "GET", "/passenger_journeys?" + near + onDay, nil, 200, `"id":"p-1"`},
		{friends, "GET", "/passenger_journeys?" + onDay, nil, 400, "departureL"},
		{friends, "GET", "/driver_regular_trips?" + near + regular, nil, 200, `"passengerPickupDay":"MON"`},
		{friends, "GET", "/driver_regular_trips?" + near + regular + "&departureWeekdays=TUE,WED", nil, 200, "[]"},
		{friends, "GET", "/driver_regular_trips?" + near + regular + "&departureWeekdays=MON", nil, 200, `"driver"`},
		{friends, "GET", "/driver_regular_trips?" + near + regular + "&minDepartureDate=1795500000", nil, 200, "[]"},
		{friends, "GET", "/driver_regular_trips?" + near + "&departureTimeOfDay=7", nil, 400, "departureTimeOfDay"},
		{friends, "GET", "/driver_regular_trips?" + near + regular + "&departureWeekdays=LUN", nil, 400, "departureWeekdays"},
		{friends, "GET", "/passenger_regular_trips?" + near + regular, nil, 200, "[]"},
		{friends, "POST", "/bookings", b, 201, `"alias":"Autista"`},
		{friends, "POST", "/bookings", b, 201, `"alias":"Autista"`},
		{friends, "POST", "/bookings", wrong, 400, "UUID"},
		{friends, "POST", "/bookings", "{", 400, "JSON"},
		{friends, "GET", "/bookings/" + b.ID, nil, 200, `"WAITING_CONFIRMATION"`},
		{friends, "GET", "/bookings/" + posted(2).ID, nil, 404, "missing_booking"},
		{friends, "GET", "/bookings/x", nil, 400, "UUID"},
		{others, "GET", "/bookings/" + b.ID, nil, 404, "missing_booking"},
		{others, "PATCH", "/bookings/" + b.ID + "?status=CANCELLED", nil, 404, "missing_booking"},
		{friends, "PATCH", "/bookings/" + b.ID + "?status=VALIDATED", nil, 400, "does not follow"},
		{friends, "PATCH", "/bookings/" + b.ID + "?status=CONFIRMED", nil, 400, "driver"},
		{friends, "PATCH", "/bookings/" + b.ID + "?status=WAITING_CONFIRMATION", nil, 409, "status_already_set"},
		{friends, "PATCH", "/bookings/" + b.ID + "?status=DONE", nil, 400, "status"},
		{friends, "PATCH", "/bookings/" + b.ID, nil, 400, "status"},
		{friends, "POST", "/messages", message, 201, ""},
		{friends, "POST", "/messages", unknown, 404, ""},
		{friends, "POST", "/messages", "{}", 400, "missing"},
		{friends, "POST", "/booking_events", event, 200, ""},
		{friends, "POST", "/booking_events", event, 200, ""},
		{friends, "POST", "/booking_events", "[]", 400, "event"},
		{friends, "PATCH", "/bookings/" + b.ID + "?status=CANCELLED", nil, 409, "status_already_set"},
		{friends, "GET", "/bookings/" + b.ID, nil, 200, `"CANCELLED"`},
	} {
		got := w.ask(c.op, c.method, c.path, c.body)
		got.want(t, c.status, c.holds)
		if err := l.broken(c.method, c.path, got.status, got.header, got.body); err != nil {
			t.Errorf("%s %s: %d %s: %v", c.method, c.path, got.status, got.body, err)
		}
		answers++
	}
	return answers
}

// Planted wrong answers are caught.
func TestConformCatches(t *testing.T) { plants(t) }

// plants gives how many were caught, and how many there are.
func plants(t *testing.T) (caught, planted int) {
	l := readLaw(t)
	w := newWorld(t, storetest.SQLite(t), newVillage(), nil)
	w.ask(friends, "POST", "/bookings", posted(1)).want(t, 201, "")
	journeys, needs, trips := "/driver_journeys?"+near+onDay, "/passenger_journeys?"+near+onDay, "/driver_regular_trips?"+near+regular
	booking := "/bookings/" + posted(1).ID
	good := map[string]string{}
	for _, path := range []string{journeys, needs, trips, booking} {
		got := w.ask(friends, "GET", path, nil)
		if err := l.broken("GET", path, got.status, got.header, got.body); err != nil || got.status != 200 {
			t.Fatalf("before anything is planted: %s: %d %v", path, got.status, err)
		}
		good[path] = got.body
	}
	type plant struct {
		name, method, path string
		status             int
		spoil              func(string) string
	}
	swap := func(old, new string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("%s does not hold %s", s, old)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	list := []plant{
		{"null for no journeys", "GET", journeys, 200, func(string) string { return "null" }},
		{"an object for a list", "GET", journeys, 200, func(s string) string { return `{"journeys":` + s + `}` }},
		{"no operator", "GET", journeys, 200, swap(`[{"operator":"`+ours+`",`, `[{`)},
		{"an operator that is no domain", "GET", journeys, 200, swap(`"operator":"`+ours+`"`, `"operator":"not a domain"`)},
		{"a latitude as text", "GET", journeys, 200, swap(`"passengerPickupLat":44.58`, `"passengerPickupLat":"44.58"`)},
		{"a duration of half a second", "GET", journeys, 200, swap(`"duration":2400`, `"duration":2400.5`)},
		{"a driver without alias", "GET", journeys, 200, swap(`,"alias":"Autista"`, ``)},
		{"no driver", "GET", journeys, 200, swap(`"driver":`, `"chauffeur":`)},
		{"an unknown type", "GET", journeys, 200, swap(`"PLANNED"`, `"MAYBE"`)},
		{"no time", "GET", journeys, 200, swap(`"passengerPickupDate":`, `"pickupDate":`)},
		{"another day", "GET", journeys, 200, swap(`"passengerPickupDate":1795414200`, `"passengerPickupDate":1795500600`)},
		{"too far away", "GET", journeys, 200, swap(`"passengerPickupLat":44.58`, `"passengerPickupLat":44.68`)},
		{"too far at the end", "GET", journeys, 200, swap(`"passengerDropLng":8.03`, `"passengerDropLng":8.53`)},
		{"the same id twice", "GET", journeys, 200, func(s string) string { one := s[1:strings.LastIndex(s, "]")]; return "[" + one + "," + one + "]" }},
		{"more than asked for", "GET", journeys + "&count=0", 200, func(string) string { return good[journeys] }},
		{"a surname", "GET", journeys, 200, swap(`"alias":"Autista"`, `"alias":"Autista","lastName":"Bianchi"`)},
		{"an id without a letter", "GET", journeys, 200, swap(`"id":"j-1"`, `"id":""`)},
		{"a grade of nine", "GET", journeys, 200, swap(`"alias":"Autista"`, `"alias":"Autista","grade":9`)},
		{"an unknown price", "GET", journeys, 200, swap(`"FREE"`, `"CHEAP"`)},
		{"no departure of the driver", "GET", needs, 200, swap(`"driverDepartureDate":`, `"driverDeparture":`)},
		{"no passenger", "GET", needs, 200, swap(`"passenger":`, `"rider":`)},
		{"a day in another language", "GET", trips, 200, swap(`"MON"`, `"LUN"`)},
		{"schedules as an object", "GET", trips, 200, func(s string) string {
			return strings.Replace(strings.Replace(s, `"schedules":[{`, `"schedules":{`, 1), `}]}]}]`, `}]}}]`, 1)
		}},
		{"an unknown status", "GET", booking, 200, swap(`"WAITING_CONFIRMATION"`, `"WAITING"`)},
		{"no price", "GET", booking, 200, swap(`"price":`, `"cost":`)},
		{"a booking as a list", "GET", booking, 200, func(s string) string { return "[" + s + "]" }},
		{"404 without a reason", "GET", booking, 404, func(string) string { return "{}" }},
		{"404 with a number for a reason", "GET", booking, 404, func(string) string { return `{"error":404}` }},
		{"a status that the standard does not have", "GET", booking, 403, func(string) string { return `{"error":"denied"}` }},
		{"409 with another code", "PATCH", booking + "?status=CANCELLED", 409, func(string) string { return `{"error":"too_late"}` }},
		{"401 with a body", "GET", journeys, 401, func(string) string { return `{"error":"who are you"}` }},
		{"429 without how long to wait", "GET", journeys, 429, func(string) string { return "" }},
		{"201 for a search", "GET", journeys, 201, func(s string) string { return s }},
		{"an answer that is no JSON", "GET", journeys, 200, func(s string) string { return s[:len(s)/2] }},
	}
	for _, p := range list {
		body := p.spoil(good[p.path])
		if strings.TrimSpace(body) == strings.TrimSpace(good[p.path]) && p.status == 200 {
			t.Errorf("%s: nothing was planted", p.name)
			continue
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if err := l.broken(p.method, p.path, p.status, header, body); err == nil {
			t.Errorf("%s: not caught: %s", p.name, body)
			continue
		}
		caught++
	}
	if err := l.broken("GET", journeys, 200, http.Header{"Content-Type": {"text/html"}}, good[journeys]); err == nil {
		t.Error("HTML: not caught")
	} else {
		caught++
	}
	if caught < 20 {
		t.Errorf("only %d of %d planted wrong answers were caught", caught, len(list)+1)
	}
	return caught, len(list) + 1
}

func FuzzSearch(f *testing.F) {
	f.Add(near + onDay)
	f.Add(near + regular + "&departureWeekdays=MON,,TUE")
	f.Add("departureLat=NaN&departureLng=1e400&arrivalLat=91&arrivalLng=0&departureDate=99999999999999")
	f.Add(near + onDay + "&count=-1&timeDelta=9223372036854775807&departureRadius=1e300")
	cfg := Default()
	v := newVillage()
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		for _, again := range []bool{false, true} {
			s, err := cfg.search(values, friends, again)
			if err != nil {
				continue
			}
			if s.Count > cfg.Count || s.Delta > cfg.Delta || s.FromKm > cfg.Radius || s.ToKm > cfg.Radius || s.Delta < 0 || !s.From.Valid() || !s.To.Valid() {
				t.Fatalf("%q gave %+v", raw, s)
			}
			s.fits(v.trips[0].Trip)
			s.intime(v.journeys[0].JourneySchedule)
			s.anyday(v.trips[0].Schedules)
		}
	})
}

func FuzzBooking(f *testing.F) {
	good, err := json.Marshal(posted(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("1795414200"), []byte("1e300")))
	f.Add([]byte(`{"id":null,"data":{"id":[]}}`))
	s := &Server{cfg: Config{Operator: ours, Web: "https://x"}, deps: Deps{Portal: newVillage()}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := s.readBooking(raw, Operator{ID: friends}); err == nil {
			if b.Passenger.Operator != friends || b.Driver.Operator != ours || b.Status != Waiting || b.Passenger.LastName != "" || b.PickupDate.Time().Year() > 5000 {
				t.Fatalf("%s gave %+v", raw, b)
			}
		}
		if ev, err := s.readEvent(raw); err == nil && !uuids.MatchString(ev.Data.ID) {
			t.Fatalf("%s gave %+v", raw, ev)
		}
	})
}
