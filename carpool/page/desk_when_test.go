package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

func TestDayTimeAgain(t *testing.T) {
	const today = carpool.Date("2026-11-22") // a Sunday
	for text, want := range map[string]string{
		"ogni martedì e giovedì ore 9:30 fino al 28/1":     "2026-11-24 09:30 [Tuesday Thursday] 2027-01-28",
		"Ogni mar, gio 9.30 fino al 28/1/2027":             "2026-11-24 09:30 [Tuesday Thursday] 2027-01-28",
		"every mon at 8:15 until 2026-12-31":               "2026-11-23 08:15 [Monday] 2026-12-31",
		"domani 9:30":                                      "2026-11-23 09:30 [] ",
		"ogni 9:30 fino al 28/1":                           "",
		"ogni mar 9:30":                                    "",
		"ogni mar fino al 28/1":                            "",
		"ogni mar 9:30 fino al 28/3":                       "", // 18 weeks
		"ogni mar 9:30 fino al boh":                        "",
		"ogni mar domani 9:30 fino al 28/1":                "",
		"ogni":                                             "",
		"ogni mar 9:30 fino al 28/1 per la terapia che fa": "",
	} {
		day, clock, again, ok := dayTimeAgain(text, today)
		got := ""
		if ok {
			if again == nil {
				again = &carpool.Repeat{}
			}
			got = fmt.Sprint(day, " ", clock, " ", again.Days, " ", again.Until)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestDayAndTime(t *testing.T) {
	const today = carpool.Date("2026-11-22") // a Sunday
	for text, want := range map[string]string{
		"domani 9:30":                "2026-11-23 09:30",
		"Domani ore 9.30":            "2026-11-23 09:30",
		"oggi 18":                    "2026-11-22 18:00",
		"dopodomani alle 7h15":       "2026-11-24 07:15",
		"lun 9:30":                   "2026-11-23 09:30",
		"domenica 9:30":              "2026-11-29 09:30",
		"lunedì 23/11 9:30":          "2026-11-23 09:30",
		"23/11 9:30":                 "2026-11-23 09:30",
		"21/11 9:30":                 "2027-11-21 09:30",
		"3/1/27 8":                   "2027-01-03 08:00",
		"26-11-2026, 9:30":           "2026-11-26 09:30",
		"2026-11-26T09:30":           "2026-11-26 09:30",
		"2026-11-26 9:30":            "2026-11-26 09:30",
		"thu 26/11 at 9:30":          "2026-11-26 09:30",
		"29/2 9:00":                  "2028-02-29 09:00",
		"tomorrow 9:30":              "2026-11-23 09:30",
		"":                           "",
		"domani":                     "",
		"9:30":                       "",
		"martedì 23/11 9:30":         "", // the 23rd is a Monday
		"30/2 9:00":                  "",
		"domani 25:00":               "",
		"domani 9:30 10:30":          "",
		"domani dopodomani 9":        "",
		"lu 9":                       "",
		"domani 9:30 per l'ospedale": "",
		"0/0/0 0:00":                 "",
		"2026-13-40T99:99":           "",
		"domani 9:30                                                    ma tanto": "",
	} {
		date, clock, ok := dayAndTime(text, today)
		got := ""
		if ok {
			got = string(date) + " " + string(clock)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzDayAndTime(f *testing.F) {
	for _, seed := range []string{"domani 9:30", "lun 26/11 ore 8.15", "2026-11-26T09:30", "29/2 9", "t", "\x00", "١٢/١١ ٩:٣٠"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		date, clock, ok := dayAndTime(text, "2026-11-22")
		if ok && (date.Check() != nil || clock.Check() != nil) {
			t.Fatalf("%q: %s %s", text, date, clock)
		}
		if !ok && (date != "" || clock != "") {
			t.Fatalf("%q is refused and yet %s %s", text, date, clock)
		}
	})
}

func TestWindowOf(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	if w := windowOf(at, true, time.Hour); !w.Arrive || !w.To.Equal(at) || !w.From.Equal(at.Add(-time.Hour)) {
		t.Errorf("arrive: %+v", w)
	}
	if w := windowOf(at, false, time.Hour); w.Arrive || !w.From.Equal(at) || !w.To.Equal(at.Add(time.Hour)) {
		t.Errorf("leave: %+v", w)
	}
}
