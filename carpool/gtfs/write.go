package gtfs

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/crinale/crinale/carpool"
)

// Write writes the lifts as a GTFS zip. The same feed gives the same bytes.
func Write(w io.Writer, feed Feed) error {
	_, err := WriteCounted(w, feed)
	return err
}

// WriteCounted is Write, and says which rides were left out.
func WriteCounted(w io.Writer, feed Feed) (Left, error) {
	if err := feed.check(); err != nil {
		return Left{}, err
	}
	runs, left := feed.runs()
	files, err := feed.files(trips(runs))
	if err != nil {
		return left, err
	}
	z := zip.NewWriter(w)
	for _, f := range files {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err == nil {
			_, err = out.Write(f.bytes)
		}
		if err != nil {
			return left, fmt.Errorf("write GTFS: %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return left, fmt.Errorf("write GTFS: %w", err)
	}
	return left, nil
}

// told is a trip of the feed: rides of an offer between the same stops at the
// same time of day.
type told struct {
	offer    carpool.OfferID
	from, to int
	depart   int
	minutes  int
	days     []Day
}

// trips puts the rides together, in the order of offers and times.
func trips(runs []run) []told {
	byKey := map[run]*told{}
	var out []*told
	for _, r := range runs {
		k := r
		k.day = 0
		t := byKey[k]
		if t == nil {
			t = &told{offer: r.offer, from: r.from, to: r.to, depart: r.depart, minutes: r.minutes}
			byKey[k] = t
			out = append(out, t)
		}
		t.days = append(t.days, r.day)
	}
	list := make([]told, 0, len(out))
	for _, t := range out {
		slices.Sort(t.days)
		t.days = slices.Compact(t.days)
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y told) int {
		return cmp.Or(cmp.Compare(x.offer, y.offer), cmp.Compare(x.depart, y.depart), cmp.Compare(x.minutes, y.minutes),
			cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to))
	})
	return list
}

// pattern of days as GTFS says it: the days of the week on which the service
// mostly goes, and the exceptions.
func pattern(days []Day) service {
	s := service{first: days[0], last: days[len(days)-1]}
	var on, off [7]int
	for d := s.first; d <= s.last; d = d.plus(1) {
		if _, yes := slices.BinarySearch(days, d); yes {
			on[d.weekday()]++
		} else {
			off[d.weekday()]++
		}
	}
	for w := range s.days {
		s.days[w] = on[w] > off[w]
	}
	for d := s.first; d <= s.last; d = d.plus(1) {
		_, yes := slices.BinarySearch(days, d)
		switch {
		case yes && !s.days[d.weekday()]:
			s.more = append(s.more, d)
		case !yes && s.days[d.weekday()]:
			s.less = append(s.less, d)
		}
	}
	return s
}

type file struct {
	name  string
	bytes []byte
}

// sheet is a CSV file being written.
type sheet struct {
	name string
	rows [][]string
}

func (s *sheet) add(row ...string) { s.rows = append(s.rows, row) }

// files of the feed, in the order of their names.
func (f Feed) files(list []told) ([]file, error) {
	agency := &sheet{name: "agency.txt"}
	agency.add("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang")
	agency.add("passaggi", plain(f.Publisher), f.URL, f.Location.String(), "it")
	sheets := append([]*sheet{agency}, f.sheets(list)...)
	var files []file
	sum := sha256.New()
	for _, s := range sheets {
		b, err := s.encode()
		if err != nil {
			return nil, err
		}
		sum.Write(b)
		files = append(files, file{s.name, b})
	}
	info := &sheet{name: "feed_info.txt"}
	info.add("feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date", "feed_version", "feed_contact_email")
	info.add(plain(f.Publisher), f.URL, "it", compact(f.Today), compact(f.Today.Plus(Window)), hex.EncodeToString(sum.Sum(nil)[:8]), f.Email)
	b, err := info.encode()
	if err != nil {
		return nil, err
	}
	files = append(files, file{info.name, b})
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

func (f Feed) sheets(list []told) []*sheet {
	offers := map[carpool.OfferID]carpool.Offer{}
	for _, o := range f.Offers {
		offers[o.ID] = o
	}
	stops, routes, trips := &sheet{name: "stops.txt"}, &sheet{name: "routes.txt"}, &sheet{name: "trips.txt"}
	times, week, dates := &sheet{name: "stop_times.txt"}, &sheet{name: "calendar.txt"}, &sheet{name: "calendar_dates.txt"}
	stops.add("stop_id", "stop_name", "stop_lat", "stop_lon", "location_type", "wheelchair_boarding")
	routes.add("route_id", "agency_id", "route_long_name", "route_type", "route_url")
	trips.add("route_id", "service_id", "trip_id", "trip_headsign", "wheelchair_accessible", "bikes_allowed")
	times.add("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type", "timepoint")
	week.add("service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date", "end_date")
	dates.add("service_id", "date", "exception_type")
	used := map[int]bool{}
	for i, t := range list {
		id, from, to := string(t.offer)+"."+nth(list, i), f.Places[t.from], f.Places[t.to]
		used[t.from], used[t.to] = true, true
		if i == 0 || list[i-1].offer != t.offer {
			routes.add(string(t.offer), "passaggi", plain(from.Name+" – "+to.Name), routeCarpool, f.Link(t.offer))
		}
		trips.add(string(t.offer), id, id, plain(to.Name), yesNo(offers[t.offer].Carries.Wheelchair), "2")
		start, end := writeTime(t.depart*60), writeTime((t.depart+t.minutes)*60)
		times.add(id, start, start, string(from.ID), "1", "3", "1", "0")
		times.add(id, end, end, string(to.ID), "2", "1", "3", "0")
		s := pattern(t.days)
		week.add(id, s.bit(time.Monday), s.bit(time.Tuesday), s.bit(time.Wednesday), s.bit(time.Thursday), s.bit(time.Friday),
			s.bit(time.Saturday), s.bit(time.Sunday), strconv.Itoa(int(s.first)), strconv.Itoa(int(s.last)))
		for _, d := range s.more {
			dates.add(id, strconv.Itoa(int(d)), "1")
		}
		for _, d := range s.less {
			dates.add(id, strconv.Itoa(int(d)), "2")
		}
	}
	f.stopRows(stops, used)
	all := []*sheet{stops, routes, trips, times, week}
	if len(dates.rows) > 1 {
		all = append(all, dates)
	}
	return all
}

func (f Feed) stopRows(stops *sheet, used map[int]bool) {
	var order []int
	for i := range used {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(f.Places[a].ID, f.Places[b].ID) })
	for _, i := range order {
		p := f.Places[i]
		stops.add(string(p.ID), plain(p.Name), strconv.FormatFloat(p.At.Lat, 'f', 6, 64), strconv.FormatFloat(p.At.Lon, 'f', 6, 64), "0", yesNo(p.StepFree))
	}
}

// nth is the number of a trip within its offer, from 1 on.
func nth(list []told, i int) string {
	n := 1
	for i > 0 && list[i-1].offer == list[i].offer {
		i--
		n++
	}
	return strconv.Itoa(n)
}

func (s service) bit(d time.Weekday) string {
	if s.days[d] {
		return "1"
	}
	return "0"
}

// yesNo is 1 for yes and 2 for no, as GTFS says of wheelchairs.
func yesNo(b bool) string {
	if b {
		return "1"
	}
	return "2"
}

// plain is a text on one line without signs that cannot be seen.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

func (s *sheet) encode() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true // RFC 4180
	if err := w.WriteAll(s.rows); err != nil {
		return nil, fmt.Errorf("write GTFS: %s: %w", s.name, err)
	}
	return b.Bytes(), nil
}
