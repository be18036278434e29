package carpool_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// weekly goes at 07:10 by a rule, from Monday 23 November 2026 on.
func weekly(rule string) carpool.Schedule {
	return carpool.Schedule{Time: "07:10", Rule: rule, First: "2026-11-23"}
}

var winter = carpool.School{Off: []carpool.Span{{First: "2026-12-23", Last: "2027-01-06"}}}

func TestScheduleDays(t *testing.T) {
	for _, c := range []struct {
		name     string
		s        carpool.Schedule
		from, to carpool.Date
		want     string
	}{
		{"once", carpool.Schedule{Time: "07:10", Date: "2026-12-01"}, "2026-11-23", "2026-12-31", "2026-12-01"},
		{"once, out of the span", carpool.Schedule{Time: "07:10", Date: "2026-12-01"}, "2026-12-02", "2026-12-31", ""},
		{"two days a week", weekly("FREQ=WEEKLY;BYDAY=MO,TH"), "2026-11-20", "2026-12-03", "2026-11-23 2026-11-26 2026-11-30 2026-12-03"},
		{"the weekday of the first", weekly("FREQ=WEEKLY"), "2026-11-24", "2026-12-07", "2026-11-30 2026-12-07"},
		{"each second week", weekly("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"), "2026-11-23", "2026-12-31", "2026-11-27 2026-12-11 2026-12-25"},
		{"the week begins on Sunday", carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", First: "2026-11-24"},
			"2026-11-24", "2026-12-31", "2026-12-06 2026-12-20"},
		{"until, the day included", weekly("FREQ=WEEKLY;UNTIL=20261207"), "2026-11-23", "2026-12-31", "2026-11-23 2026-11-30 2026-12-07"},
		{"three times", weekly("FREQ=DAILY;COUNT=3"), "2026-11-24", "2026-12-31", "2026-11-24 2026-11-25"},
		{"first Monday of the month", weekly("FREQ=MONTHLY;BYDAY=1MO"), "2026-11-23", "2027-02-28", "2026-12-07 2027-01-04 2027-02-01"},
		{"last Friday of the month", weekly("FREQ=MONTHLY;BYDAY=-1FR"), "2026-11-23", "2027-01-31", "2026-11-27 2026-12-25 2027-01-29"},
		{"the 31st", carpool.Schedule{Time: "07:10", Rule: "FREQ=MONTHLY", First: "2026-10-31"}, "2026-11-01", "2027-03-31", "2026-12-31 2027-01-31 2027-03-31"},
		{"29 February", carpool.Schedule{Time: "07:10", Rule: "FREQ=MONTHLY;INTERVAL=12", First: "2024-02-29"}, "2027-01-01", "2028-12-31", "2028-02-29"},
		{"last day of all", carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-11-23", Last: "2026-11-25"}, "2026-11-24", "2026-12-31", "2026-11-24 2026-11-25"},
		{"before the first", weekly("FREQ=DAILY"), "2026-11-01", "2026-11-22", ""},
		{"the span is upside down", weekly("FREQ=DAILY"), "2026-11-25", "2026-11-24", ""},
		{"exception and extra", carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY", First: "2026-11-23", Except: []carpool.Date{"2026-11-30"},
			Extra: []carpool.Date{"2026-12-02", "2026-12-07", "2026-11-20"}}, "2026-11-23", "2026-12-07", "2026-11-23 2026-12-02 2026-12-07"},
		{"school days", carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-18", School: carpool.SchoolDay}, "2026-12-18", "2027-01-08",
			"2026-12-18 2026-12-19 2026-12-21 2026-12-22 2027-01-07 2027-01-08"},
		{"days without school", carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-18", School: carpool.NoSchool}, "2026-12-18", "2026-12-24",
			"2026-12-20 2026-12-23 2026-12-24"},
		{"extra in the holidays", carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY", First: "2026-12-21", School: carpool.SchoolDay,
			Extra: []carpool.Date{"2026-12-29"}}, "2026-12-21", "2027-01-11", "2026-12-21 2026-12-29 2027-01-11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.s.Days(c.from, c.to, winter)
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, d := range got {
				words = append(words, string(d))
			}
			if s := strings.Join(words, " "); s != c.want {
				t.Errorf("%s\nwant %s", s, c.want)
			}
		})
	}
}

func TestScheduleRefuses(t *testing.T) {
	many := slices.Repeat([]carpool.Date{"2026-12-01"}, 401)
	for _, c := range []struct {
		s     carpool.Schedule
		field string
	}{
		{carpool.Schedule{}, "time:"},
		{carpool.Schedule{Time: "25:00", Date: "2026-12-01"}, "time:"},
		{carpool.Schedule{Time: "07:10"}, "date:"},
		{carpool.Schedule{Time: "07:10", Date: "2027-02-29"}, "date:"},
		{carpool.Schedule{Time: "07:10", Date: "1999-12-31"}, "date:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", Rule: "FREQ=DAILY"}, "rule:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", First: "2026-12-01"}, "first:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", Last: "2026-12-01"}, "last:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", School: carpool.NoSchool}, "school:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", Except: many[:1]}, "except:"},
		{carpool.Schedule{Time: "07:10", Date: "2026-12-01", Extra: many[:1]}, "extra:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY"}, "first:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2101-01-01"}, "first:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", Last: "2026-11-30"}, "last:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", Last: "never"}, "last:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", School: "sometimes"}, "school:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", Except: []carpool.Date{"x"}}, "except:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", Extra: many}, "extra:"},
		{carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-12-01", Extra: many[:1], Except: many[:1]}, "extra:"},
		{weekly("WEEKLY"), "rule:"},
		{weekly("BYDAY=MO"), "rule:"},
		{weekly("FREQ="), "rule:"},
		{weekly("FREQ=HOURLY"), "rule:"},
		{weekly("FREQ=SECONDLY"), "rule:"},
		{weekly("FREQ=YEARLY"), "rule:"},
		{weekly("freq=weekly"), "rule:"},
		{weekly("RRULE:FREQ=WEEKLY"), "rule:"},
		{weekly("FREQ=WEEKLY;FREQ=DAILY"), "rule:"},
		{weekly("FREQ=WEEKLY;BYHOUR=1,2,3"), "rule:"},
		{weekly("FREQ=WEEKLY;BYMINUTE=1"), "rule:"},
		{weekly("FREQ=WEEKLY;BYSETPOS=1"), "rule:"},
		{weekly("FREQ=WEEKLY;DTSTART=20200101"), "rule:"},
		{weekly("DTSTART:20200101T000000Z\nFREQ=WEEKLY"), "rule:"},
		{weekly("FREQ=WEEKLY;BYDAY=XX"), "rule:"},
		{weekly("FREQ=WEEKLY;BYDAY=MO,MO"), "rule:"},
		{weekly("FREQ=WEEKLY;BYDAY=1MO"), "rule:"},
		{weekly("FREQ=MONTHLY;BYDAY=5MO"), "rule:"},
		{weekly("FREQ=MONTHLY;BYDAY=1MO,TU"), "rule:"},
		{weekly("FREQ=DAILY;INTERVAL=7;BYDAY=TU"), "rule:"},
		{weekly("FREQ=MONTHLY;INTERVAL=25"), "rule:"},
		{weekly("FREQ=DAILY;INTERVAL=0"), "rule:"},
		{weekly("FREQ=DAILY;INTERVAL=-1"), "rule:"},
		{weekly("FREQ=DAILY;INTERVAL=99999999999999999999"), "rule:"},
		{weekly("FREQ=DAILY;COUNT=1001"), "rule:"},
		{weekly("FREQ=DAILY;COUNT=2;UNTIL=20270101"), "rule:"},
		{weekly("FREQ=DAILY;UNTIL=20261231T220000Z"), "rule:"},
		{weekly("FREQ=DAILY;UNTIL=20261122"), "rule:"},
		{weekly("FREQ=DAILY;WKST=1MO"), "rule:"},
		{weekly("FREQ=DAILY;" + strings.Repeat("X", 300)), "rule:"},
	} {
		t.Run(fmt.Sprintf("%+v", c.s)[:min(60, len(fmt.Sprintf("%+v", c.s)))], func(t *testing.T) {
			err := c.s.Check()
			if fault.Of(err) != fault.Invalid || err == nil || !strings.HasPrefix(err.Error(), c.field) {
				t.Errorf("%v, want one that begins with %s", err, c.field)
			}
			if _, err := c.s.Days("2026-11-23", "2026-12-31", winter); err == nil {
				t.Error("it has days")
			}
			if days := c.s.Weekdays(); days != nil {
				t.Errorf("it has weekdays: %v", days)
			}
		})
	}
	for _, span := range [][2]carpool.Date{{"", "2026-12-01"}, {"2026-12-01", "x"}, {"2026-12-01", "2028-12-02"}, {"1999-01-01", "1999-02-01"}} {
		if _, err := weekly("FREQ=DAILY").Days(span[0], span[1], winter); fault.Of(err) != fault.Invalid {
			t.Errorf("%v: %v", span, err)
		}
	}
	if days, err := weekly("FREQ=DAILY").Days("2026-12-01", "2028-12-01", winter); err != nil || len(days) != 732 {
		t.Errorf("24 months: %d days, %v", len(days), err)
	}
}

// A rule of weeks gives the days that one finds with a finger on the calendar.
func TestScheduleEqualsTheCalendar(t *testing.T) {
	names := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
	rapid.Check(t, func(t *rapid.T) {
		first := carpool.Date("2026-01-01").Plus(rapid.IntRange(0, 1000).Draw(t, "first"))
		every := rapid.IntRange(1, 4).Draw(t, "interval")
		on := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(t, "weekdays")
		rule := fmt.Sprintf("FREQ=WEEKLY;INTERVAL=%d;BYDAY=", every)
		for i, w := range on {
			rule += strings.Repeat(",", min(i, 1)) + names[w]
		}
		s := carpool.Schedule{Time: "07:10", Rule: rule, First: first}
		from := first.Plus(rapid.IntRange(-50, 400).Draw(t, "from"))
		to := from.Plus(rapid.IntRange(0, 731).Draw(t, "long"))
		got, err := s.Days(from, to, carpool.School{})
		if err != nil {
			t.Fatal(err)
		}
		day := func(d carpool.Date) time.Time { v, _ := time.Parse(time.DateOnly, string(d)); return v }
		monday := day(first).AddDate(0, 0, -(int(day(first).Weekday())+6)%7)
		var want []carpool.Date
		for d := max(from, first); d <= to; d = d.Plus(1) {
			week := int(day(d).Sub(monday).Hours()) / 24 / 7
			if week%every == 0 && slices.Contains(on, int(day(d).Weekday())) {
				want = append(want, d)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s from %s: %v, want %v", rule, first, got, want)
		}
		weekdays := s.Weekdays()
		if len(weekdays) != len(on) {
			t.Fatalf("%s: %v", rule, weekdays)
		}
		for i, w := range weekdays {
			if !slices.Contains(on, int(w)) || i > 0 && (weekdays[i-1]+6)%7 >= (w+6)%7 {
				t.Fatalf("%s: %v", rule, weekdays)
			}
		}
	})
}

func TestScheduleWeekdays(t *testing.T) {
	for _, c := range []struct {
		s    carpool.Schedule
		want string
	}{
		{weekly("FREQ=WEEKLY"), "[Monday]"},
		{weekly("FREQ=WEEKLY;BYDAY=SU,TU"), "[Tuesday Sunday]"},
		{weekly("FREQ=DAILY;BYDAY=FR"), "[Friday]"},
		{weekly("FREQ=DAILY"), "[Monday Tuesday Wednesday Thursday Friday Saturday Sunday]"},
		{weekly("FREQ=DAILY;INTERVAL=2"), "[]"},
		{weekly("FREQ=MONTHLY;BYDAY=1MO"), "[]"},
		{carpool.Schedule{Time: "07:10", Date: "2026-11-22"}, "[Sunday]"},
	} {
		if got := fmt.Sprint(c.s.Weekdays()); got != c.want {
			t.Errorf("%+v: %s, want %s", c.s, got, c.want)
		}
	}
}

// Each week at 02:30, the night the clocks change too, and at midnight: always
// on the day meant.
func TestScheduleDeparts(t *testing.T) {
	rome := romeTime(t)
	s := carpool.Schedule{Time: "02:30", Rule: "FREQ=WEEKLY;BYDAY=SU", First: "2026-10-18"}
	days, err := s.Days("2026-10-18", "2027-04-04", carpool.School{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range days {
		at, err := s.Departs(d, rome)
		if err != nil {
			t.Fatal(err)
		}
		if carpool.DateOf(at, rome) != d {
			t.Errorf("the ride of %s departs at %v", d, at)
		}
		if d < "2026-11-02" || d > "2027-03-15" {
			got = append(got, at.UTC().Format("01-02T15:04"))
		}
	}
	want := []string{"10-18T00:30", "10-25T00:30", "11-01T01:30", "03-21T01:30", "03-28T01:30", "04-04T00:30"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	s.Time = "00:00"
	if at, err := s.Departs("2026-10-25", rome); err != nil || at.UTC().Format(time.RFC3339) != "2026-10-24T22:00:00Z" {
		t.Errorf("midnight: %v, %v", at, err)
	}
	if _, err := s.Departs("soon", rome); fault.Of(err) != fault.Invalid {
		t.Errorf("a day that is none: %v", err)
	}
}

// Whatever is written into a schedule, laying it out ends, keeps to the span,
// and gives the same days in one piece or two.
func FuzzSchedule(f *testing.F) {
	f.Add("07:10", "FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-23", "", "school", "2026-12-08", "2026-12-12", uint16(300))
	f.Add("23:59", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=9", "2000-02-29", "2030-01-01", "", "", "", uint16(731))
	f.Add("00:00", "FREQ=DAILY;INTERVAL=366", "2000-01-01", "", "no-school", "2026-01-01", "", uint16(731))
	f.Add("02:30", "FREQ=MONTHLY;INTERVAL=12", "2024-02-29", "", "", "", "2028-02-29", uint16(0))
	f.Add("07:10", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;UNTIL=20301231", "2026-11-23", "2029-01-01", "", "", "", uint16(99))
	f.Add("7", "FREQ=YEARLY;BYHOUR=1;BYSECOND=1,2,3", "0000-00-00", "x", "y", "z", "\xff", uint16(1))
	f.Fuzz(func(t *testing.T, clock, rule, first, last, school, except, extra string, long uint16) {
		s := carpool.Schedule{Time: carpool.Clock(clock), Rule: rule, First: carpool.Date(first), Last: carpool.Date(last), School: carpool.SchoolDays(school)}
		if except != "" {
			s.Except = []carpool.Date{carpool.Date(except)}
		}
		if extra != "" {
			s.Extra = []carpool.Date{carpool.Date(extra)}
		}
		if err := s.Check(); err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		s.Weekdays()
		from := carpool.Date("2026-11-23")
		half, to := from.Plus(int(long)/2), from.Plus(int(long))
		begun := time.Now()
		all, err := s.Days(from, to, winter)
		if long > carpool.MostWindow {
			if fault.Of(err) != fault.Invalid {
				t.Fatalf("%d days: %v", long, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("%+v took %v", s, took)
		}
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Fatalf("not each day once, in order: %v", all)
		}
		one, err := s.Days(from, half, winter)
		if err != nil {
			t.Fatal(err)
		}
		two, err := s.Days(half.Plus(1), to, winter)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(all, append(one, two...)) {
			t.Fatalf("%+v: %v in one piece, %v and %v in two", s, all, one, two)
		}
		for _, d := range all {
			if d < from || d > to || slices.Contains(s.Except, d) {
				t.Fatalf("%+v goes on %s", s, d)
			}
			if _, err := s.Departs(d, time.UTC); err != nil {
				t.Fatal(err)
			}
		}
	})
}
