package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crinale/crinale/carpool/interop"
)

// Bookings of the proof: one of an operator, and one that is not there.
const (
	theirBooking = "7b1e2d10-0000-4000-8000-00000000a001"
	noBooking    = "7b1e2d10-0000-4000-8000-00000000a002"
)

// fromHost is a client of an address of its own, since wrong keys are counted by
// address.
func fromHost(n int) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n))}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
}

// byKey asks the API for other operators with a key, "" for none.
func (v *village) byKey(c *http.Client, key, method, path, body string) reply {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+interop.Prefix+path, strings.NewReader(body))
	v.must(err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	res, err := c.Do(req)
	v.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	v.must(err)
	return reply{status: res.StatusCode, body: string(b)}
}

// operator makes an operator and gives its key.
func (v *village) operator(id string, scopes ...interop.Scope) string {
	v.t.Helper()
	k, err := v.s.outside.Operators.Add(v.t.Context(), interop.Operator{ID: id, Name: id, Scopes: scopes})
	v.must(err)
	return k.Key
}

// ofOperators is the second table: each operation of the API for other
// operators, by the key it is asked with, about a booking that is another's.
func (m *matrix) ofOperators() string {
	t := m.t
	from, to := m.spot("bergolo-municipio"), m.spot("cortemilia-municipio")
	around := func(date string) string {
		return url.Values{"departureLat": {fmt.Sprint(from.At.Lat)}, "departureLng": {fmt.Sprint(from.At.Lon)}, "arrivalLat": {fmt.Sprint(to.At.Lat)}, "arrivalLng": {fmt.Sprint(to.At.Lon)}}.Encode() + date
	}
	day := fmt.Sprintf("&timeDelta=7200&departureRadius=5&arrivalRadius=5&departureDate=%d", m.morning(7).Unix())
	var found []map[string]any
	m.must(json.Unmarshal([]byte(m.byKey(http.DefaultClient, m.key, "GET", "/driver_journeys?"+around(day), "").body), &found))
	if len(found) == 0 {
		t.Fatal("operators find no lift: the proof shows nothing")
	}
	j := found[0]
	booking := func(id string) string {
		b, err := json.Marshal(map[string]any{"id": id, "driver": j["driver"], "passenger": map[string]any{"id": "p-1", "alias": "Passeggeroqz", "operator": "altri.example"},
			"passengerPickupDate": j["passengerPickupDate"], "passengerPickupLat": j["passengerPickupLat"], "passengerPickupLng": j["passengerPickupLng"],
			"passengerDropLat": j["passengerDropLat"], "passengerDropLng": j["passengerDropLng"], "status": "WAITING_CONFIRMATION", "price": j["price"], "driverJourneyId": j["id"]})
		m.must(err)
		return string(b)
	}
	if r := m.byKey(http.DefaultClient, m.key, "POST", "/bookings", booking(theirBooking)); r.status != http.StatusCreated {
		t.Fatalf("an operator books: %d %.300s", r.status, r.body)
	}
	whole := m.byKey(http.DefaultClient, m.key, "GET", "/bookings/"+theirBooking, "").body
	ended := m.operator("finiti.example", interop.Scopes()...)
	m.must(m.s.outside.Operators.Revoke(t.Context(), "finiti.example"))
	keys := []struct{ name, key string }{{"no key", ""}, {"a key that has ended", ended}, {"a key to search", m.operator("cercano.example", interop.ScopeSearch)},
		{"another operator's", m.operator("vicini.example", interop.Scopes()...)}, {"its operator's", m.key}}
	var hosts []*http.Client
	for i := range keys {
		hosts = append(hosts, fromHost(i+1))
	}
	message := func(id string) string {
		return fmt.Sprintf(`{"from":{"id":"p-1","alias":"Passeggeroqz","operator":"altri.example"},"to":{"id":%q,"alias":"x","operator":"passaggi.unione.example"},"message":"ciao","recipientCarpoolerType":"DRIVER","bookingId":%q}`,
			j["driver"].(map[string]any)["id"], id)
	}
	event := func(id string) string {
		return fmt.Sprintf(`{"id":"7b1e2d10-0000-4000-8000-00000000b001","idToken":"x","data":{"id":%q,"status":"CANCELLED","webUrl":"https://altri.example/","passengerPickupDate":1,"passengerPickupLat":44,"passengerPickupLng":8,"passengerDropLat":44,"passengerDropLng":8,"passenger":{"id":"p-1","alias":"x","operator":"altri.example"}}}`, id)
	}
	weekly := "&departureTimeOfDay=07:30:00"
	rows := []struct {
		name, method string
		path, body   func(id string) string // about a booking, in earnest
	}{
		{"/driver_journeys", "GET", func(string) string { return "/driver_journeys?" + around(day) }, nil},
		{"/passenger_journeys", "GET", func(string) string { return "/passenger_journeys?" + around(day) }, nil},
		{"/driver_regular_trips", "GET", func(string) string { return "/driver_regular_trips?" + around(weekly) }, nil},
		{"/passenger_regular_trips", "GET", func(string) string { return "/passenger_regular_trips?" + around(weekly) }, nil},
		{"/bookings/{id}", "GET", func(id string) string { return "/bookings/" + id }, nil},
		{"/bookings/{id}", "PATCH", func(id string) string { return "/bookings/" + id + "?status=CANCELLED" }, nil},
		{"/bookings", "POST", func(string) string { return "/bookings" }, func(id string) string { return strings.Replace(booking(id), "altri.example", "vicini.example", 1) }},
		{"/messages", "POST", func(string) string { return "/messages" }, message},
		{"/booking_events", "POST", func(string) string { return "/booking_events" }, event},
		{"/status", "GET", func(string) string { return "/status" }, nil},
	}
	var b bytes.Buffer
	b.WriteString("\n## Other operators\n\nBy the key that they ask with, about a booking of one of them; what changes something is asked in earnest but by its own operator,\n" +
		"who sends nothing. To another operator it answers as about a booking that is not there, and it stays as it was.\n\n| operation |")
	for _, k := range keys {
		b.WriteString(" " + k.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(keys)) + "\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| `%s %s%s` |", row.method, interop.Prefix, row.name)
		for i, k := range keys {
			ask := func(id string) reply {
				body := ""
				if row.body != nil {
					body = row.body(id)
				}
				path := row.path(id)
				if own := i == len(keys)-1; own && row.method != "GET" {
					path, _, _ = strings.Cut(path, "?")
					body = "{}"
				}
				m.answers++
				return m.byKey(hosts[i], k.key, row.method, path, body)
			}
			r := ask(theirBooking)
			fmt.Fprintf(&b, " %d |", r.status)
			if i == len(keys)-1 {
				continue
			}
			if strings.Contains(r.body, theirBooking) && row.name != "/bookings" || strings.Contains(r.body, "Passeggeroqz") {
				t.Errorf("%s %s with %s tells of a booking of others: %.300s", row.method, row.name, k.name, r.body)
			}
			if slices.Contains([]string{"/bookings/{id}", "/messages", "/booking_events"}, row.name) {
				if none := ask(noBooking); none.status != r.status || none.body != r.body {
					t.Errorf("%s %s with %s: %d %q of others, %d %q of what is not there", row.method, row.name, k.name, r.status, r.body, none.status, none.body)
				}
			}
		}
		b.WriteString("\n")
	}
	if now := m.byKey(http.DefaultClient, m.key, "GET", "/bookings/"+theirBooking, "").body; now != whole {
		t.Errorf("the booking is another one after all were asked:\n%s\n%s", whole, now)
	}
	return b.String()
}
