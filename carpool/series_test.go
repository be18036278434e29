package carpool_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestRepeatDays(t *testing.T) {
	school := carpool.School{Off: []carpool.Span{{First: "2026-12-07", Last: "2026-12-08"}}}
	tueThu := []time.Weekday{time.Tuesday, time.Thursday}
	for name, c := range map[string]struct {
		again carpool.Repeat
		want  string // days, or what the refusal names
		bad   bool
	}{
		"two days a week":  {carpool.Repeat{Days: tueThu, Until: "2026-12-03"}, "2026-11-24 2026-11-26 2026-12-01 2026-12-03", false},
		"an exception":     {carpool.Repeat{Days: tueThu, Until: "2026-12-01", Except: []carpool.Date{"2026-11-26"}}, "2026-11-24 2026-12-01", false},
		"school days only": {carpool.Repeat{Days: []time.Weekday{time.Tuesday}, Until: "2026-12-15", School: carpool.SchoolDay}, "2026-11-24 2026-12-01 2026-12-15", false},
		"a day twice":      {carpool.Repeat{Days: []time.Weekday{time.Monday, time.Monday}, Until: "2026-11-30"}, "2026-11-23 2026-11-30", false},
		"no day":           {carpool.Repeat{Until: "2026-12-01"}, "days", true},
		"no such weekday":  {carpool.Repeat{Days: []time.Weekday{7}, Until: "2026-12-01"}, "days", true},
		"no end":           {carpool.Repeat{Days: tueThu}, "until", true},
		"an end before":    {carpool.Repeat{Days: tueThu, Until: "2026-11-20"}, "until", true},
		"13 weeks":         {carpool.Repeat{Days: tueThu, Until: "2027-02-16"}, "until", true},
		"never":            {carpool.Repeat{Days: []time.Weekday{time.Sunday}, Until: "2026-11-24"}, "until", true},
	} {
		days, err := c.again.On("2026-11-23", school)
		var got []string
		for _, d := range days {
			got = append(got, string(d))
		}
		switch {
		case c.bad && (err == nil || fault.Of(err) != fault.Invalid || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %v, %v", name, got, err)
		case !c.bad && (err != nil || strings.Join(got, " ") != c.want):
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Physiotherapy every Tuesday and Thursday: each journey is one of its own,
// across the end of summer time too, and the rider is not told of each at once.
func TestSeries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		w.at(time.Date(2026, 10, 19, 8, 0, 0, 0, rome))
		rider, stranger := w.resident(), w.resident()
		out := carpool.Window{From: time.Date(2026, 10, 20, 8, 30, 0, 0, rome), To: time.Date(2026, 10, 20, 9, 30, 0, 0, rome), Arrive: true}
		home := carpool.Window{From: time.Date(2026, 10, 20, 11, 0, 0, 0, rome), To: time.Date(2026, 10, 20, 13, 0, 0, 0, rome)}
		again := carpool.Repeat{Days: []time.Weekday{time.Tuesday, time.Thursday}, Until: "2026-11-12"}
		ask := func() []carpool.Request {
			t.Helper()
			list, err := w.Bookings.RequestAgain(t.Context(), rider, carpool.Request{From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"}, When: out, Return: carpool.ReturnAt},
				&home, again, "one-form")
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		list := ask()
		if len(list) != 8 || list[0].Series == "" {
			t.Fatalf("%d journeys: %+v", len(list), list)
		}
		for n, r := range list {
			if local := r.When.From.In(rome); local.Format("15:04") != "08:30" || n > 0 && r.Series != list[0].Series || r.Way.Kind != carpool.WaySearch {
				t.Errorf("journey %d: %v, %+v", n, local, r.Way)
			}
		}
		if twice := ask(); len(twice) != 8 || twice[0].ID != list[0].ID {
			t.Errorf("sent twice: %d", len(twice))
		}
		all, err := w.Bookings.Requests(t.Context(), rider.Member)
		if err != nil || len(all) != 16 {
			t.Fatalf("%d journeys out and home: %v", len(all), err)
		}
		if n := w.told(rider.Member, carpool.NoticeSearching); n > 2 { // of the first day, out and home
			t.Errorf("told %d times", n)
		}
		if err := w.Bookings.WithdrawSeries(t.Context(), stranger, list[0].ID, ""); fault.Of(err) != fault.Denied {
			t.Errorf("a stranger withdraws it: %v", err)
		}
		open := func() (n int) {
			t.Helper()
			all, err := w.Bookings.Requests(t.Context(), rider.Member)
			if err != nil {
				t.Fatal(err)
			}
			return len(slices.DeleteFunc(all, func(r carpool.Request) bool { return r.State == carpool.RequestWithdrawn }))
		}
		if err := w.Bookings.WithdrawRequest(t.Context(), rider, list[3].ID, ""); err != nil || open() != 14 {
			t.Errorf("one of them is withdrawn: %d are left, %v", open(), err)
		}
		if err := w.Bookings.WithdrawSeries(t.Context(), rider, list[5].ID, ""); err != nil || open() != 0 {
			t.Errorf("all are withdrawn: %d are left, %v", open(), err)
		}
		single := w.request(rider, need("2026-10-22", "09:00", "10:00"), nil)
		if err := w.Bookings.WithdrawSeries(t.Context(), rider, single.ID, ""); fault.Of(err) != fault.Conflict {
			t.Errorf("one that is no series: %v", err)
		}
	})
}

// A lift of a series that has begun stays, and its way home with it.
func TestSeriesUnderWay(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	rider := w.resident()
	driver, car := w.driver("2028-12-31")
	w.offer(driver, once(car, "2026-11-24", "09:30"))
	out := carpool.Window{From: monday.Add(25 * time.Hour), To: monday.Add(28 * time.Hour)}
	list, err := w.Bookings.RequestAgain(t.Context(), rider, carpool.Request{From: carpool.Spot{Place: "bergolo"}, To: carpool.Spot{Place: "alba"}, When: out, Return: carpool.ReturnOpen}, nil,
		carpool.Repeat{Days: []time.Weekday{time.Tuesday}, Until: "2026-12-08"}, "")
	if err != nil {
		t.Fatal(err)
	}
	bk := w.book(rider, list[0])
	if _, err := w.Bookings.Accept(t.Context(), driver, bk.ID, ""); err != nil {
		t.Fatal(err)
	}
	w.at(bk.Pickup.At.Add(time.Minute))
	if err := w.Bookings.WithdrawSeries(t.Context(), rider, list[1].ID, ""); err != nil {
		t.Fatal(err)
	}
	all, err := w.Bookings.Requests(t.Context(), rider.Member)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		today := r.ID == list[0].ID || r.Outward == list[0].ID
		if (r.State == carpool.RequestWithdrawn) == today {
			t.Errorf("%v from %v: %s", r.When.From, r.From.Place, r.State)
		}
	}
}

// Of lifts there are, and of new ones, the rider of a series is told for the
// week ahead.
func TestSeriesNews(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	rider := w.resident()
	driver, car := w.driver("2028-12-31")
	weekly := once(car, "", "09:30")
	weekly.When = carpool.Schedule{Time: "09:30", Rule: "FREQ=WEEKLY;BYDAY=TU", First: "2026-11-24"}
	w.offer(driver, weekly)
	w.later(time.Hour)
	out := carpool.Window{From: monday.Add(25 * time.Hour), To: monday.Add(28 * time.Hour)}
	if _, err := w.Bookings.RequestAgain(t.Context(), rider, carpool.Request{From: carpool.Spot{Place: "bergolo"}, To: carpool.Spot{Place: "alba"}, When: out}, nil,
		carpool.Repeat{Days: []time.Weekday{time.Tuesday}, Until: "2026-12-15"}, ""); err != nil {
		t.Fatal(err)
	}
	for week, want := range []int{0, 1, 2, 3} { // the first was there when they asked
		w.at(monday.AddDate(0, 0, 7*week).Add(2 * time.Hour))
		w.round()
		if got := w.told(rider.Member, carpool.NoticeOfferFound); got != want {
			t.Errorf("week %d: told of %d lifts, want %d", week, got, want)
		}
	}
}
