package gtfs

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

const today carpool.Date = "2026-11-22"

// hills are meeting points about 1.6 km apart, with names that CSV dislikes. The
// fourth is not published.
func hills(n int) []carpool.Place {
	out := make([]carpool.Place, n)
	for i := range out {
		out[i] = carpool.Place{ID: carpool.PlaceID(fmt.Sprintf("borgo-%02d", i)), Name: fmt.Sprintf("Borgo %d, \"piazza\"\n=1+1", i),
			At: geo.LonLat{Lon: 8 + float64(i%6)*0.02, Lat: 44.5 + float64(i/6)*0.015}, StepFree: i%2 == 0, Published: i != 3}
	}
	return out
}

func spotAt(p carpool.Place) carpool.Spot { return carpool.Spot{Place: p.ID, At: p.At} }

// feedOf has one offer on some days between two spots.
func feedOf(t testing.TB, from, to carpool.Spot, places []carpool.Place, clock string, days ...carpool.Date) Feed {
	t.Helper()
	f := Feed{Publisher: "Unione di prova", URL: "https://unione.example/passaggi", Email: "passaggi@unione.example", Location: rome(t), Today: today,
		Link: func(o carpool.OfferID) string { return "https://unione.example/passaggi/offerta/" + string(o) }, Places: places}
	o := carpool.Offer{ID: "o-uno", From: from, To: to, State: carpool.OfferOpen}
	f.Offers = append(f.Offers, o)
	for i, d := range days {
		at, err := carpool.Clock(clock).On(d, rome(t))
		if err != nil {
			t.Fatal(err)
		}
		f.Rides = append(f.Rides, ride(o, fmt.Sprintf("r-%d", i), at, 30*time.Minute))
	}
	return f
}

func ride(o carpool.Offer, id string, at time.Time, took time.Duration) carpool.Ride {
	return carpool.Ride{ID: carpool.RideID(id), Offer: o.ID, Depart: at.UTC(), Seats: 3, State: carpool.RideOpen,
		Stops: []carpool.Stop{{Kind: carpool.StopStart, Spot: o.From, At: at.UTC()}, {Kind: carpool.StopEnd, Spot: o.To, At: at.Add(took).UTC()}}}
}

func written(t testing.TB, f Feed) (*zip.Reader, Left) {
	t.Helper()
	var b bytes.Buffer
	left, err := WriteCounted(&b, f)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return z, left
}

// valid fails unless a written feed breaks no rule, of the specification and
// of the profile.
func valid(t interface {
	Helper()
	Fatalf(string, ...any)
}, z *zip.Reader, f Feed) {
	t.Helper()
	var doors []geo.LonLat
	for _, r := range f.Rides {
		for _, s := range r.Stops {
			if s.Spot.Private() {
				doors = append(doors, s.Spot.At)
			}
		}
	}
	found := append(Check(z, DefaultLimits()), CheckProfile(z, f.Places, doors, DefaultLimits())...)
	if len(found) > 0 {
		t.Fatalf("%v", found)
	}
}

func TestWriteReadBack(t *testing.T) {
	places := hills(12)
	days := []carpool.Date{"2026-11-23", "2026-11-30", "2026-12-07", "2026-12-21", "2026-12-23"}
	f := feedOf(t, spotAt(places[0]), spotAt(places[9]), places, "07:10", days...)
	z, left := written(t, f)
	valid(t, z, f)
	if left != (Left{Written: 5}) {
		t.Errorf("left out: %+v", left)
	}
	table, err := ReadZip(z, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if len(table.trips) != 1 {
		t.Fatalf("%d trips for one offer at one time of day", len(table.trips))
	}
	b, err := NewBuses(table, crow)
	if err != nil {
		t.Fatal(err)
	}
	for d := today; d <= today.Plus(Window); d = d.Plus(1) {
		got, err := b.Next(t.Context(), places[0].At, places[9].At, window(t, string(d)+" 00:00", string(d)+" 23:59"), time.Minute, 9)
		if err != nil {
			t.Fatal(err)
		}
		if want := slices.Contains(days, d); want != (len(got) == 1) {
			t.Errorf("%s: %v", d, say(t, got))
		} else if want && got[0].Depart.In(rome(t)).Format("15:04") != "07:10" || want && got[0].Arrive.Sub(got[0].Depart) != 30*time.Minute {
			t.Errorf("%s: %v", d, say(t, got))
		}
	}
}

// An empty feed is a valid one.
func TestWriteEmpty(t *testing.T) {
	f := feedOf(t, carpool.Spot{}, carpool.Spot{}, hills(2), "07:10")
	z, left := written(t, f)
	valid(t, z, f)
	if left.Written != 0 {
		t.Errorf("%+v", left)
	}
}

func TestWriteLeavesOut(t *testing.T) {
	places := hills(12)
	home := carpool.Spot{Address: "strada Bassa 1", At: places[3].At.Toward(90, 60)}
	far := carpool.Spot{Address: "cascina lontana", At: geo.LonLat{Lon: 9.5, Lat: 44.5}}
	base := func() Feed {
		return feedOf(t, spotAt(places[0]), spotAt(places[9]), slices.Clone(places), "07:10", "2026-11-23")
	}
	for _, c := range []struct {
		name string
		f    func() Feed
		want Left
	}{
		{"cancelled", func() Feed { f := base(); f.Rides[0].State = carpool.RideCancelled; return f }, Left{Outside: 1}},
		{"full", func() Feed { f := base(); f.Rides[0].Taken = 3; return f }, Left{Outside: 1}},
		{"at risk", func() Feed { f := base(); f.Rides[0].Risk = "papers"; return f }, Left{Outside: 1}},
		{"paused", func() Feed { f := base(); f.Offers[0].State = carpool.OfferPaused; return f }, Left{Outside: 1}},
		{"unknown offer", func() Feed { f := base(); f.Offers = nil; return f }, Left{Outside: 1}},
		{"yesterday", func() Feed { f := base(); f.Today = "2026-11-24"; return f }, Left{Outside: 1}},
		{"in five weeks", func() Feed { f := base(); f.Today = "2026-10-10"; return f }, Left{Outside: 1}},
		{"arrives before it leaves", func() Feed { f := base(); f.Rides[0].Stops[1].At = f.Rides[0].Depart; return f }, Left{Outside: 1}},
		{"to the same place", func() Feed { f := base(); f.Rides[0].Stops[1].Spot = spotAt(places[0]); return f }, Left{TooNear: 1}},
		{"from far away", func() Feed { f := base(); f.Rides[0].Stops[0].Spot = far; return f }, Left{NoStop: 1}},
		{"from an unknown place", func() Feed {
			f := base()
			f.Rides[0].Stops[0].Spot = carpool.Spot{Place: "altrove", At: places[0].At}
			return f
		}, Left{NoStop: 1}},
		{"from home", func() Feed { f := base(); f.Rides[0].Stops[0].Spot = home; return f }, Left{Written: 1}},
		{"the place is not published", func() Feed { f := base(); f.Places[0].Published = false; return f }, Left{Written: 1}},
		{"the place has closed", func() Feed { f := base(); f.Places[0].Closed = true; return f }, Left{Written: 1}},
		{"no place is published", func() Feed {
			f := base()
			for i := range f.Places {
				f.Places[i].Published = false
			}
			return f
		}, Left{NoStop: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.f()
			z, left := written(t, f)
			valid(t, z, f)
			if left != c.want {
				t.Errorf("got %+v, want %+v", left, c.want)
			}
		})
	}
}

// Nothing of who gets in where, and no address, is in any file.
func TestWriteTellsNoDoor(t *testing.T) {
	places := hills(12)
	home := carpool.Spot{Address: "strada Bassa 1", At: places[3].At.Toward(90, 60)}
	f := feedOf(t, home, spotAt(places[9]), places, "07:10", "2026-11-23")
	f.Rides[0].Driver, f.Rides[0].Vehicle = "m-segreto", "v-segreto"
	pickup := carpool.Stop{Kind: carpool.StopPickup, Booking: "b-segreto", Spot: carpool.Spot{Address: "via Alta 2", At: places[5].At}, At: f.Rides[0].Depart.Add(time.Minute), Seats: 1}
	f.Rides[0].Stops = slices.Insert(f.Rides[0].Stops, 1, pickup)
	z, _ := written(t, f)
	valid(t, z, f)
	for _, file := range z.File {
		text := content(t, z, file.Name)
		for _, secret := range []string{"strada", "via Alta", "segreto", fmt.Sprintf("%.4f", home.At.Lon), "borgo-03", "borgo-05"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q:\n%s", file.Name, secret, text)
			}
		}
	}
}

func content(t testing.TB, z *zip.Reader, name string) string {
	t.Helper()
	r, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteIsDeterministic(t *testing.T) {
	places := hills(20)
	f := feedOf(t, spotAt(places[0]), spotAt(places[9]), places, "07:10", "2026-11-23", "2026-11-24", "2026-11-26")
	var a, b bytes.Buffer
	if err := Write(&a, f); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(f.Rides), func(i, j int) { f.Rides[i], f.Rides[j] = f.Rides[j], f.Rides[i] })
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same rides in another order gave other bytes")
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Feed){
		"no publisher": func(f *Feed) { f.Publisher = "" },
		"no url":       func(f *Feed) { f.URL = "unione.example" },
		"no day":       func(f *Feed) { f.Today = "domani" },
		"no link":      func(f *Feed) { f.Link = nil },
	} {
		f := feedOf(t, carpool.Spot{}, carpool.Spot{}, hills(2), "07:10")
		spoil(&f)
		if err := Write(&bytes.Buffer{}, f); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// Whatever the rides and the doors, the feed breaks no rule, and tells each
// ride that it says it tells.
func TestWriteAlwaysValid(t *testing.T) {
	places := hills(24)
	in := rome(t)
	rapid.Check(t, func(t *rapid.T) {
		f := Feed{Publisher: rapid.StringN(1, 20, 60).Draw(t, "publisher") + "x", URL: "https://u.example", Location: in, Today: rapid.SampledFrom([]carpool.Date{"2026-10-10", "2026-11-22", "2027-03-20"}).Draw(t, "today"),
			Link: func(o carpool.OfferID) string { return "https://u.example/" + string(o) }, Places: places}
		spot := rapid.Custom(func(t *rapid.T) carpool.Spot {
			p := places[rapid.IntRange(0, len(places)-1).Draw(t, "place")]
			if rapid.Bool().Draw(t, "private") {
				return carpool.Spot{Address: "a", At: geo.LonLat{Lon: p.At.Lon + rapid.Float64Range(-0.01, 0.01).Draw(t, "dlon"), Lat: p.At.Lat + rapid.Float64Range(-0.01, 0.01).Draw(t, "dlat")}}
			}
			return spotAt(p)
		})
		for i := range rapid.IntRange(0, 8).Draw(t, "offers") {
			o := carpool.Offer{ID: carpool.OfferID(fmt.Sprintf("o-%d", i)), From: spot.Draw(t, "from"), To: spot.Draw(t, "to"), State: carpool.OfferOpen}
			f.Offers = append(f.Offers, o)
			for j := range rapid.IntRange(0, 12).Draw(t, "rides") {
				day := f.Today.Plus(rapid.IntRange(-2, 35).Draw(t, "day"))
				at, err := carpool.Clock(rapid.SampledFrom([]string{"00:05", "02:30", "07:10", "23:50"}).Draw(t, "time")).On(day, in)
				if err != nil {
					t.Fatal(err)
				}
				f.Rides = append(f.Rides, ride(o, fmt.Sprintf("r-%d-%d", i, j), at, time.Duration(rapid.IntRange(0, 200).Draw(t, "minutes"))*time.Minute))
			}
		}
		f.Places = slices.Clone(places)
		for i := range f.Places { // as the portal keeps them: no door beside a published one
			f.Places[i].Published = !slices.ContainsFunc(f.Offers, func(o carpool.Offer) bool {
				return o.From.Private() && o.From.At.Distance(places[i].At) < Clear+1 || o.To.Private() && o.To.At.Distance(places[i].At) < Clear+1
			})
		}
		var b bytes.Buffer
		left, err := WriteCounted(&b, f)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		valid(t, z, f)
		table, err := ReadZip(z, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		told, distinct := 0, map[run]bool{}
		for d := Day(20260901); d < 20270601; d = d.plus(1) {
			for _, tr := range table.trips {
				if table.services[tr.service].on(d) {
					told++
				}
			}
		}
		runs, _ := f.runs()
		for _, r := range runs {
			distinct[r] = true
		}
		if told != len(distinct) || left.Written != len(runs) || left.Written+left.NoStop+left.Outside+left.TooNear != len(f.Rides) {
			t.Fatalf("%d days are told of %d, %+v of %d", told, len(distinct), left, len(f.Rides))
		}
	})
}

// Each planted error is found under the name of its rule.
func TestCheckCatches(t *testing.T) {
	places := hills(12)
	f := feedOf(t, spotAt(places[0]), spotAt(places[9]), places, "07:10", "2026-11-23", "2026-11-25", "2026-11-30", "2026-12-07", "2026-12-16")
	z, _ := written(t, f)
	good := map[string]string{}
	for _, file := range z.File {
		good[file.Name] = strings.ReplaceAll(content(t, z, file.Name), "\r\n", "\n")
	}
	if found := append(Check(folder(good), DefaultLimits()), CheckProfile(folder(good), places, nil, DefaultLimits())...); len(found) > 0 {
		t.Fatalf("before anything is planted: %v", found)
	}
	for _, c := range []struct{ file, old, new, rule string }{
		{"agency.txt", "", "", "missing_required_file"},
		{"stops.txt", "", "", "missing_required_file"},
		{"routes.txt", "", "", "missing_required_file"},
		{"trips.txt", "", "", "missing_required_file"},
		{"stop_times.txt", "", "", "missing_required_file"},
		{"feed_info.txt", "", "", "profile_feed_info"},
		{"agency.txt", "agency_timezone", "agency_zone", "missing_required_column"},
		{"agency.txt", "Europe/Rome", "Europe/Langa", "invalid_value"},
		{"agency.txt", "https://unione", "unione", "invalid_value"},
		{"agency.txt", "Unione di prova", "", "missing_required_field"},
		{"agency.txt", "Unione di prova", "<b>Unione</b>", "invalid_value"},
		{"agency.txt", "Unione di prova", " Unione", "leading_or_trailing_whitespaces"},
		{"agency.txt", "agency_id,agency_name", "agency_id,agency_id", "unreadable_file"},
		{"stops.txt", "borgo-00", "borgo-09", "duplicate_key"},
		{"stops.txt", "44.500000", "144.5", "invalid_value"},
		{"stops.txt", "44.500000", "44,5", "unreadable_row"},
		{"stops.txt", "44.500000", "44.6", "profile_meeting_point"},
		{"stops.txt", "44.500000,8.000000", "0.0,0.0", "point_near_origin"},
		{"stops.txt", "8.000000,0", "8.000000,2", "location_without_parent_station"},
		{"stops.txt", "borgo-00,", "borgo-77,", "foreign_key_violation"},
		{"stops.txt", "\"Borgo 0", "\"Borgo\n0", "new_line_in_value"},
		{"routes.txt", "1551", "3", "profile_route_type"},
		{"routes.txt", "1551", "2551", "invalid_value"},
		{"routes.txt", "o-uno,passaggi", "o-uno,altri", "foreign_key_violation"},
		{"routes.txt", "https://", "ftp://", "invalid_value"},
		{"routes.txt", "https://unione.example/passaggi/offerta/o-uno", "", "profile_link"},
		{"trips.txt", "\no-uno,", "\no-due,", "foreign_key_violation"},
		{"trips.txt", "o-uno.1", "o-uno.9", "foreign_key_violation"},
		{"trips.txt", ",2\n", ",1\n", "profile_bikes"},
		{"trips.txt", ",2\n", ",5\n", "invalid_value"},
		{"stop_times.txt", "07:10:00,07:10:00", "07:70:00,07:10:00", "invalid_value"},
		{"stop_times.txt", "07:10:00,07:10:00", "07:10:00,07:09:00", "stop_time_with_departure_before_arrival"},
		{"stop_times.txt", "07:10:00,07:10:00", "07:50:00,07:50:00", "stop_time_with_arrival_before_previous_departure"},
		{"stop_times.txt", "07:10:00,07:10:00", ",", "stop_time_without_time"},
		{"stop_times.txt", "borgo-09,2", "borgo-09,1", "duplicate_key"},
		{"stop_times.txt", "borgo-09,2", "borgo-09,-2", "invalid_value"},
		{"stop_times.txt", "borgo-09,2", "borgo-08,2", "foreign_key_violation"},
		{"stop_times.txt", "1,3,1,0", "1,0,1,0", "profile_pickup"},
		{"stop_times.txt", "1,3,1,0", "1,3,1,1", "profile_timepoint"},
		{"stop_times.txt", "1,3,1,0", "1,4,1,0", "invalid_value"},
		{"stop_times.txt", "o-uno.1,07:40:00,07:40:00,borgo-09,2,1,3,0\n", "", "unusable_trip"},
		{"calendar.txt", "20261123", "20261323", "invalid_value"},
		{"calendar.txt", "20261123", "20270101", "start_and_end_range_out_of_order"},
		{"calendar.txt", "20261216", "20270201", "profile_window"},
		{"calendar.txt", "o-uno.1,1", "o-uno.1,yes", "invalid_value"},
		{"calendar_dates.txt", ",1\n", ",3\n", "invalid_value"},
		{"feed_info.txt", "20261122", "20271122", "start_and_end_range_out_of_order"},
		{"feed_info.txt", ",it,", ",,", "missing_required_field"},
		{"feed_info.txt", ",it,", ",italiano!,", "invalid_value"},
		{"feed_info.txt", "20261223", "20270323", "profile_window"},
		{"feed_info.txt", "passaggi@unione.example", "passaggi", "invalid_value"},
	} {
		t.Run(c.file+" "+c.rule, func(t *testing.T) {
			files := folder(good)
			if c.old == "" {
				delete(files, c.file)
			} else {
				if !strings.Contains(good[c.file], c.old) {
					t.Fatalf("%s does not hold %q:\n%s", c.file, c.old, good[c.file])
				}
				files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(good[c.file], c.old, c.new, 1))}
			}
			found := append(Check(files, DefaultLimits()), CheckProfile(files, places, nil, DefaultLimits())...)
			if !slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == c.rule }) {
				t.Errorf("not found: %v", found)
			}
		})
	}
	doors := []geo.LonLat{places[0].At.Toward(45, 95)}
	if found := CheckProfile(folder(good), places, doors, DefaultLimits()); len(found) != 1 || found[0].Rule != "profile_private_address" {
		t.Errorf("a door at 95 m: %v", found)
	}
	if found := CheckProfile(folder(good), places, []geo.LonLat{places[0].At.Toward(45, 105)}, DefaultLimits()); len(found) != 0 {
		t.Errorf("a door at 105 m: %v", found)
	}
}

// Rules that our own feed cannot break.
func TestCheckOthers(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		rule  string
	}{
		{"no calendar", func() map[string]string {
			f := without("calendar.txt")
			delete(f, "calendar_dates.txt")
			return f
		}(), "missing_calendar_and_calendar_date_files"},
		{"two zones", with(t, "agency.txt", "Europe/Rome\n", "Europe/Rome\nw,W,https://w.example,Europe/Paris\n"), "inconsistent_agency_timezone"},
		{"two agencies, one without a name", with(t, "agency.txt", "Europe/Rome\n", "Europe/Rome\n,W,https://w.example,Europe/Rome\n"), "missing_required_field"},
		{"no agency", with(t, "agency.txt", "val,Linee di valle,https://linee.example,Europe/Rome\n", ""), "missing_agency"},
		{"no name of a route", with(t, "routes.txt", ",Notturno,", ",,"), "route_both_short_and_long_name_missing"},
		{"the same name twice", with(t, "routes.txt", ",Notturno,", "N,N,"), "route_short_and_long_name_equal"},
		{"colours", with(t, "routes.txt", "route_type\nr1,val,12,Alto – Dosso,3\nr2,val,,Notturno,3", "route_type,route_color,route_text_color\nr1,val,12,Alto – Dosso,3,000080,000000\nr2,val,,Notturno,3,,"), "route_color_contrast"},
		{"a call at a station", with(t, "stop_times.txt", ",c,3", ",st,3"), "location_with_unexpected_stop_time"},
		{"a station in a station", with(t, "stops.txt", "8.10,1,", "8.10,1,st"), "station_with_parent_station"},
		{"a stop in a stop", with(t, "stops.txt", "8.10,0,st", "8.10,0,b"), "wrong_parent_location_type"},
		{"a stop without a name", with(t, "stops.txt", "b,Borgo", "b,"), "missing_required_field"},
		{"two of feed_info", with(t, "feed_info.txt", "it,7\n", "it,7\nLinee,https://linee.example,it,7\n"), "more_than_one_entity"},
		{"a column without a name", with(t, "feed_info.txt", "feed_version", ""), "empty_column_name"},
		{"frontier", with(t, "trips.txt", "s1", "s1,,"), "unreadable_row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Check(folder(c.files), DefaultLimits())
			if !slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == c.rule }) {
				t.Errorf("not found: %v", found)
			}
		})
	}
	if found := Check(folder(valley), DefaultLimits()); len(found) > 0 {
		t.Errorf("the valley is valid, and yet: %v", found)
	}
}
