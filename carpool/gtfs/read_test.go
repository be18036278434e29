package gtfs

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/fault"
)

// valley is a small timetable: a line along four villages, and a night bus.
var valley = map[string]string{
	"agency.txt":    "agency_id,agency_name,agency_url,agency_timezone\nval,Linee di valle,https://linee.example,Europe/Rome\n",
	"feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang,feed_version\nLinee,https://linee.example,it,7\n",
	"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n" +
		"a,Alto,44.60,8.10,,\nb,Borgo,44.62,8.10,0,\nc,Colle,44.64,8.10,0,st\nd,\"Dosso, chiesa\",44.66,8.10,0,\nst,Stazione,44.64,8.10,1,\n",
	"routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nr1,val,12,Alto – Dosso,3\nr2,val,,Notturno,3\n",
	"trips.txt":  "route_id,service_id,trip_id\nr1,feriali,t1\nr1,feriali,t2\nr2,notti,n1\nr1,speciale,s1\n",
	"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n" +
		"t1,07:00:00,07:00:00,a,1,,\nt1,07:10:00,07:11:00,b,2,,\nt1,,,c,3,,\nt1,7:31:00,7:31:00,d,4,,\n" +
		"t2,17:00:00,17:00:00,a,10,,\nt2,17:10:00,17:10:00,b,20,1,\nt2,17:40:00,17:40:00,d,40,,\n" +
		"n1,23:30:00,23:30:00,a,1,,\nn1,24:15:00,24:20:00,b,2,,\nn1,25:10:00,25:10:00,d,3,,\n" +
		"s1,12:00:00,12:00:00,a,1,,\ns1,12:30:00,12:30:00,d,2,,\n",
	"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
		"feriali,1,1,1,1,1,0,0,20260101,20271231\nnotti,0,0,0,0,0,1,1,20260101,20271231\n",
	"calendar_dates.txt": "service_id,date,exception_type\nferiali,20261208,2\nferiali,20261205,1\nspeciale,20261210,1\n",
}

func folder(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// with is the valley with one text of a file replaced.
func with(t testing.TB, name, old, new string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for n, text := range valley {
		if n == name {
			if !strings.Contains(text, old) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			text = strings.Replace(text, old, new, 1)
		}
		out[n] = text
	}
	return out
}

func without(name string) map[string]string {
	out := map[string]string{}
	for n, text := range valley {
		if n != name {
			out[n] = text
		}
	}
	return out
}

func TestRead(t *testing.T) {
	got, err := Read(folder(valley), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if a := got.About(); a != (About{"Linee", "7", 4, 4, 20260101, 20271231}) {
		t.Errorf("about %+v", a)
	}
	if c := got.calls[2]; c.arrive != 7*3600+21*60 || c.depart != c.arrive {
		t.Errorf("a time between 07:11 and 07:31 was taken as %d", c.arrive)
	}
	if got.longest != 25*3600+600 {
		t.Errorf("longest %d", got.longest)
	}
}

func TestReadBroken(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no stops", without("stops.txt"), "stops.txt: it is missing"},
		{"no calendar", func() map[string]string {
			f := without("calendar.txt")
			delete(f, "calendar_dates.txt")
			return f
		}(), "calendar.txt: it and calendar_dates.txt are missing"},
		{"empty file", with(t, "routes.txt", valley["routes.txt"], ""), "routes.txt: it is empty"},
		{"no agency", with(t, "agency.txt", "val,Linee di valle,https://linee.example,Europe/Rome\n", ""), "agency.txt: it names no agency"},
		{"zone", with(t, "agency.txt", "Europe/Rome", "Europe/Langa"), "agency.txt: line 2: agency_timezone"},
		{"two zones", with(t, "agency.txt", "Europe/Rome\n", "Europe/Rome\nw,W,https://w.example,Europe/Paris\n"), "agency.txt: line 3: agency_timezone"},
		{"column twice", with(t, "stops.txt", "stop_name", "stop_id"), "stops.txt: line 1: stop_id: the column stands twice"},
		{"stop twice", with(t, "stops.txt", "b,Borgo", "a,Borgo"), "stops.txt: line 3: stop_id"},
		{"stop in the sea", with(t, "stops.txt", "44.60,8.10", "0,0"), "stops.txt: line 2: stop_lat"},
		{"stop nowhere", with(t, "stops.txt", "44.60,8.10", "NaN,8.10"), "stops.txt: line 2: stop_lat"},
		{"stop unnamed", with(t, "stops.txt", "b,Borgo", "b,"), "stops.txt: line 3: stop_name"},
		{"kind of stop", with(t, "stops.txt", "44.62,8.10,0", "44.62,8.10,9"), "stops.txt: line 3: location_type"},
		{"route unnamed", with(t, "routes.txt", ",Notturno,", ",,"), "routes.txt: line 3: route_short_name"},
		{"route kind", with(t, "routes.txt", "Notturno,3", "Notturno,bus"), "routes.txt: line 3: route_type"},
		{"trip of no route", with(t, "trips.txt", "r2,", "r9,"), "trips.txt: line 4: route_id"},
		{"trip of no service", with(t, "trips.txt", "notti", "giorni"), "trips.txt: line 4: service_id"},
		{"trip twice", with(t, "trips.txt", "t2", "t1"), "trips.txt: line 3: trip_id"},
		{"call of no trip", with(t, "stop_times.txt", "t1,07:00", "t9,07:00"), "stop_times.txt: line 2: trip_id"},
		{"call at no stop", with(t, "stop_times.txt", "00,b,2,,\nt1", "00,z,2,,\nt1"), "stop_times.txt: line 3: stop_id"},
		{"call at a station", with(t, "stop_times.txt", ",c,3", ",st,3"), "stop_times.txt: line 4: stop_id"},
		{"call twice", with(t, "stop_times.txt", ",b,2,,\nt1", ",b,1,,\nt1"), "stop_times.txt: line 3: stop_sequence"},
		{"sequence", with(t, "stop_times.txt", ",b,2,,\nt1", ",b,-2,,\nt1"), "stop_times.txt: line 3: stop_sequence"},
		{"time", with(t, "stop_times.txt", "7:31:00,7", "7:61:00,7"), "stop_times.txt: line 5: arrival_time"},
		{"time too late", with(t, "stop_times.txt", "25:10:00,25", "99:10:00,25"), "stop_times.txt: line 11: arrival_time"},
		{"back in time", with(t, "stop_times.txt", "17:40:00,17:40:00", "17:05:00,17:40:00"), "stop_times.txt: line 8: arrival_time"},
		{"leaves before it comes", with(t, "stop_times.txt", "24:15:00,24:20:00", "24:15:00,24:10:00"), "stop_times.txt: line 10: departure_time"},
		{"no first time", with(t, "stop_times.txt", "t1,07:00:00,07:00:00", "t1,,"), "stop_times.txt: line 2: departure_time"},
		{"no last time", with(t, "stop_times.txt", "t1,7:31:00,7:31:00", "t1,,"), "stop_times.txt: line 5: arrival_time"},
		{"one stop", with(t, "stop_times.txt", "s1,12:30:00,12:30:00,d,2,,\n", ""), "stop_times.txt: line 12: trip_id"},
		{"pickup", with(t, "stop_times.txt", "b,20,1", "b,20,7"), "stop_times.txt: line 7: pickup_type"},
		{"day", with(t, "calendar.txt", "20260101", "20260231"), "calendar.txt: line 2: start_date"},
		{"span", with(t, "calendar.txt", "20260101,20271231", "20280101,20271231"), "calendar.txt: line 2: end_date"},
		{"weekday", with(t, "calendar.txt", "feriali,1", "feriali,2"), "calendar.txt: line 2: monday"},
		{"service twice", with(t, "calendar.txt", "notti", "feriali"), "calendar.txt: line 3: service_id"},
		{"exception twice", with(t, "calendar_dates.txt", "20261205,1", "20261208,1"), "calendar_dates.txt: line 3: date"},
		{"exception kind", with(t, "calendar_dates.txt", "20261205,1", "20261205,3"), "calendar_dates.txt: line 3: exception_type"},
		{"too few fields", with(t, "trips.txt", "r2,notti,n1", "r2,notti"), "trips.txt: line 4: not as many fields"},
		{"a quote", with(t, "stops.txt", "b,Borgo", "b,Bor\"go"), "stops.txt: line 3: column 6"},
		{"not UTF-8", with(t, "stops.txt", "b,Borgo", "b,Borg\xff"), "stops.txt: line 3: stop_name: not UTF-8"},
		{"a long name", with(t, "stops.txt", "b,Borgo", "b,"+strings.Repeat("o", 5000)), "stops.txt: line 3: stop_name: longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(folder(c.files), DefaultLimits())
			if fault.Of(err) != fault.Invalid || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "valle.zip")
	marked := with(t, "stops.txt", "stop_id", "\ufeffstop_id")
	if err := os.WriteFile(file, zipped(t, marked), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range valley {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{file, dir} {
		got, err := Open(path, DefaultLimits())
		if err != nil || got.About().Trips != 4 {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "stops.txt"), filepath.Join(dir, "none.zip")} {
		if _, err := Open(path, DefaultLimits()); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", path, err)
		}
	}
	small := DefaultLimits()
	small.Zip = 100
	if _, err := Open(file, small); fault.Of(err) != fault.Invalid {
		t.Errorf("a zip above the limit: %v", err)
	}
}

// A few kilobytes that unpack to a gigabyte end at the limit.
func TestBomb(t *testing.T) {
	limits := DefaultLimits()
	limits.Bytes = 1 << 20
	row := "t1,07:00:00,07:00:00,a,1,,\n"
	for name, text := range map[string]string{
		"many rows":     strings.Repeat(row, 2<<20/len(row)),
		"one field":     "\"" + strings.Repeat("a", 2<<20) + "\"",
		"one long line": strings.Repeat("a", 2<<20),
	} {
		files := with(t, "stop_times.txt", valley["stop_times.txt"], "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"+text)
		z, err := zip.NewReader(bytes.NewReader(zipped(t, files)), int64(len(zipped(t, files))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadZip(z, limits); err == nil || !strings.Contains(err.Error(), "bigger than this program takes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	limits = DefaultLimits()
	limits.Rows = 3
	if _, err := Read(folder(valley), limits); err == nil || !strings.Contains(err.Error(), "more than 3 rows") {
		t.Errorf("rows: %v", err)
	}
	limits = DefaultLimits()
	limits.Files = 2
	b := zipped(t, valley)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadZip(z, limits); err == nil {
		t.Error("a zip of too many files was read")
	}
}

// Trips that run every so often may not fill the memory.
func TestFrequencyBomb(t *testing.T) {
	files := with(t, "agency.txt", "Linee", "Linee")
	files["frequencies.txt"] = "trip_id,start_time,end_time,headway_secs\n" + strings.Repeat("t1,00:00:00,71:00:00,30\n", 2000)
	limits := DefaultLimits()
	limits.Rows = 100_000
	if _, err := Read(folder(files), limits); err == nil || !strings.Contains(err.Error(), "frequencies.txt: line") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	for name, text := range valley {
		f.Add(name, []byte(text))
	}
	f.Add("stop_times.txt", []byte("trip_id,stop_id\n\"t1"))
	f.Add("frequencies.txt", []byte("trip_id,start_time,end_time,headway_secs\nt1,06:00:00,09:00:00,1800\n"))
	f.Add("calendar.txt", []byte("service_id,monday\n\xff"))
	limits := DefaultLimits()
	limits.Rows = 20_000
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if !strings.HasSuffix(name, ".txt") || strings.ContainsAny(name, "/\\\x00") {
			return
		}
		files := folder(valley)
		files[name] = &fstest.MapFile{Data: text}
		got, err := Read(files, limits)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("kind %v: %v", fault.Of(err), err)
			}
			return
		}
		for _, tr := range got.trips {
			if tr.last-tr.first == 1 {
				t.Error("a trip of one call was taken")
			}
		}
		Check(files, limits)
	})
}

func FuzzZip(f *testing.F) {
	b := zipped(f, valley)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		limits := DefaultLimits()
		limits.Bytes = 1 << 20
		if got, err := ReadZip(z, limits); err == nil && got.Location == nil {
			t.Error("a timetable without a zone was taken")
		}
	})
}
