package gtfs

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/geo"
)

// Day is a service day as a number, 20261123.
type Day int

// dayOf is the calendar day of a moment in its own zone.
func dayOf(t time.Time) Day { return Day(t.Year()*10000 + int(t.Month())*100 + t.Day()) }

// noon of the day, from which its times count: 12 hours before it is 00:00:00
// of the timetable, also on the days when the clock changes.
func (d Day) noon(in *time.Location) time.Time {
	return time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 12, 0, 0, 0, in)
}

// at is the moment of so many seconds of the day.
func (d Day) at(seconds int32, in *time.Location) time.Time {
	return d.noon(in).Add(-12*time.Hour + time.Duration(seconds)*time.Second)
}

// plus is n days later.
func (d Day) plus(n int) Day { return dayOf(d.noon(time.UTC).AddDate(0, 0, n)) }

func (d Day) weekday() time.Weekday { return d.noon(time.UTC).Weekday() }

// parseDay reads YYYYMMDD.
func parseDay(s string) (Day, error) {
	t, err := time.Parse("20060102", s)
	if err != nil || t.Year() < 1900 {
		return 0, errors.New("not a date: write it as 20261123")
	}
	return dayOf(t), nil
}

// maxHours of a time: a journey that begins late may end the day after next.
const maxHours = 72

// parseTime reads H:MM:SS or HH:MM:SS, which may go beyond 24:00:00, as
// seconds of the service day.
func parseTime(s string) (int32, error) {
	h, rest, ok1 := strings.Cut(s, ":")
	m, sec, ok2 := strings.Cut(rest, ":")
	if !ok1 || !ok2 || len(h) < 1 || len(h) > 2 || len(m) != 2 || len(sec) != 2 {
		return 0, errors.New("not a time: write it as 07:10:00")
	}
	hh, ok1 := digits(h)
	mm, ok2 := digits(m)
	ss, ok3 := digits(sec)
	if !ok1 || !ok2 || !ok3 || mm > 59 || ss > 59 || hh >= maxHours {
		return 0, fmt.Errorf("not a time: write it as 07:10:00, below %d:00:00", maxHours)
	}
	return int32(hh*3600 + mm*60 + ss), nil
}

// writeTime is the inverse of parseTime.
func writeTime(seconds int) string {
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

func digits(s string) (int, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// parseWhole reads a whole number that is not negative.
func parseWhole(s string) (int, error) {
	n, ok := digits(s)
	if !ok || n > math.MaxInt32 {
		return 0, errors.New("not a whole number from 0 on")
	}
	return n, nil
}

// parseAt reads a latitude and a longitude. 0,0 lies in the sea and is a
// forgotten field.
func parseAt(lat, lon string) (geo.LonLat, error) {
	la, err1 := strconv.ParseFloat(lat, 64)
	lo, err2 := strconv.ParseFloat(lon, 64)
	p := geo.LonLat{Lon: lo, Lat: la}
	switch {
	case err1 != nil || err2 != nil || !p.Valid():
		return geo.LonLat{}, errors.New("not a position in degrees")
	case math.Abs(la) < 1 && math.Abs(lo) < 1:
		return geo.LonLat{}, errors.New("the position is 0,0, in the Gulf of Guinea")
	}
	return p, nil
}

// checkURL wants an absolute http or https address.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("not a web address: it must begin with https:// or http://")
	}
	return nil
}
