package routeros

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaysBackLeft reads when the device will act, in the forms of the versions.
func TestWaysBackLeft(t *testing.T) {
	for _, tt := range []struct {
		clock, entry string
		want         float64
		known        bool
	}{
		{"date=nov/22/2026 time=10:00:00", "next-run=nov/22/2026_10:01:30", 90, true},
		{"date=2026-11-22 time=10:00:00", "next-run=2026-11-22_10:01:30", 90, true},
		{"date=2026-11-22 time=10:00:00", "next-run=10:00:07", 7, true},
		{"date=2026-11-22 time=23:59:58", "next-run=00:00:08", 10, true},
		{"date=nov/22/2026 time=10:00:00", "next-run=nov/22_10:01:30", 90, true},
		{"date=jan/01/1970 time=00:00:20", "next-run=jan/01/1970_00:01:30", 70, true},
		{"date=2026-11-22 time=10:00:00", "next-run=2026-11-22_09:00:00", 0, true},
		{"date=2026-11-22 time=10:00:00", "run-count=0", 0, false},
		{"date=2026-11-22 time=10:00:00", "next-run=soon", 0, false},
		{"date=? time=?", "next-run=2026-11-22_10:01:30", 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := acting(t, func(words []string, _ int) [][]string {
				switch words[0] {
				case "/system/clock/print":
					return rows(tt.clock)
				case "/system/scheduler/print":
					return rows(".id=*5 name=crinale-undo-c1 on-event=:log " + tt.entry)
				}
				return nil
			})
			all, err := d.driver(t).WaysBack(t.Context(), d.target)
			if err != nil || len(all) != 1 || all[0].Device != d.target.Device || all[0].Script != ":log" {
				t.Fatalf("%v %+v", err, all)
			}
			if left, known := all[0].Left.Get(); known != tt.known || float64(left) != tt.want {
				t.Errorf("%s, %s: %v %v", tt.clock, tt.entry, left, known)
			}
		})
	}
}

// runs is when a scheduler entry runs first after now, as the manual tells: at
// its start and at every interval from there.
func runs(start time.Time, interval time.Duration, now time.Time) time.Time {
	if start.After(now) {
		return start
	}
	n := now.Sub(start)/interval + 1
	return start.Add(n * interval)
}

// TestStartOutlivesTheClock: the entry runs one hold from now whatever the
// device takes for now, and one hold at most after a boot that lost the time.
func TestStartOutlivesTheClock(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 11, 22, 10, 0, 7, 0, time.UTC), time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC), time.Unix(0, 0).UTC(), time.Unix(20, 0).UTC(),
		time.Date(1970, 1, 2, 0, 0, 1, 0, time.UTC), time.Date(2099, 2, 28, 12, 30, 0, 0, time.UTC),
	} {
		for _, hold := range []time.Duration{time.Second, 7 * time.Second, 90 * time.Second, time.Hour, 24*time.Hour - time.Second, 24 * time.Hour} {
			for _, iso := range []bool{false, true} {
				date, at, ok := wallClock{at: now, iso: iso}.start(hold)
				start, read := moment(date+" "+at, time.Time{})
				if !ok || !read || iso != (date == "1970-01-01") || !iso && date != "jan/01/1970" {
					t.Fatalf("%v %v: %s %s", now, hold, date, at)
				}
				if next := runs(start, hold, now); !next.Equal(now.Add(hold)) {
					t.Errorf("%v, hold %v, start %v: runs at %v", now, hold, start, next)
				}
				for _, boot := range []time.Time{time.Unix(0, 0).UTC(), time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), now.Add(17 * time.Hour)} {
					if next := runs(start, hold, boot); next.Sub(boot) > hold {
						t.Errorf("boots at %v, hold %v, start %v: runs at %v", boot, hold, start, next)
					}
				}
			}
		}
	}
	if _, _, ok := (wallClock{}).start(time.Minute); ok {
		t.Error("a start without a clock")
	}
}

// TestArmTellsTheStart in the form in which the device writes dates; none where
// its clock cannot be read.
func TestArmTellsTheStart(t *testing.T) {
	for says, want := range map[string]string{
		"date=nov/22/2026 time=10:00:07": " =start-date=jan/01/1970 =start-time=00:00:07",
		"date=2026-11-22 time=10:01:01":  " =start-date=1970-01-01 =start-time=00:00:01",
		"date=? time=?":                  "",
		"":                               "",
	} {
		synctest.Test(t, func(t *testing.T) {
			d := acting(t, func(words []string, nth int) [][]string {
				switch {
				case words[0] == "/system/clock/print" && says == "":
					return refusing("no such command prefix")
				case words[0] == "/system/clock/print":
					return rows(says)
				case words[0] == "/system/scheduler/print" && nth == 2:
					return wholeEntry(t, func(v row) { v["interval"] = "1m" })
				}
				return nil
			})
			if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", time.Minute, toRetune); err != nil {
				t.Error(err)
			}
			for _, c := range d.commands() {
				if strings.HasPrefix(c, "/system/scheduler/add") && !strings.HasSuffix(c, "]\n"+want) {
					t.Errorf("%q, want %q at the end", c, want)
				}
			}
		})
	}
}

// FuzzMoment: whatever a device says of its clock and its entries, reading it
// gives a time or none.
func FuzzMoment(f *testing.F) {
	for _, s := range []string{"nov/22/2026", "2026-11-22", "", "feb/29/2024", "0000-01-01", "9999-12-31"} {
		f.Add(s, "10:00:00", s+" 10:01:30", int64(90))
	}
	f.Fuzz(func(t *testing.T, date, clock, next string, hold int64) {
		at, _ := moment(date+" "+clock, time.Time{})
		now := wallClock{at: at, iso: !strings.Contains(date, "/"), read: time.Now()}
		seconds := time.Duration(min(max(hold, 1), 86400)) * time.Second
		if date, clock, ok := now.start(seconds); ok {
			start, read := moment(date+" "+clock, time.Time{})
			if !read || start.Year() != 1970 || !runs(start, seconds, at).Equal(at.Add(seconds)) && at.Year() < 2200 {
				t.Errorf("%v, hold %v: %s %s", at, seconds, date, clock)
			}
		}
		if left, ok := now.left(row{"next-run": next}); ok && left < 0 {
			t.Errorf("%v left until %q", left, next)
		}
		fit(row{"interval": clock, "next-run": next, "on-event": date}, date, seconds, now)
	})
}
