package page

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// TestOneMinute: one is singular wherever minutes are counted, for residents
// and at the desk, in both languages.
func TestOneMinute(t *testing.T) {
	shell, err := web.New(web.Default(), web.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	html, err := shell.PagesIn(files)
	if err != nil {
		t.Fatal(err)
	}
	say := tongue{html, "it", time.UTC}
	for _, key := range []string{carpool.WhyDetour, carpool.WhyWalk, carpool.WhyWait, carpool.WhyDriverEarlier, carpool.WhyDriverLater} {
		one, two := say.reason(carpool.Reason{Key: key, Args: []any{1}}), say.reason(carpool.Reason{Key: key, Args: []any{float64(2)}})
		if !strings.Contains(one, "1 minuto") || !strings.Contains(two, "2 minuti") {
			t.Errorf("%s: %q, %q", key, one, two)
		}
		for _, words := range []string{"words", "staff/words"} {
			for _, lang := range []string{"it", "en"} {
				read, prefix := files.ReadFile, "pool."
				if words != "words" {
					read, prefix = staffFiles.ReadFile, "desk."
				}
				b, err := read(words + "/" + lang + ".json")
				if err != nil || !strings.Contains(string(b), `"`+prefix+key+`.one": "`) {
					t.Errorf("%s/%s.json has no singular of %s (%v)", words, lang, key, err)
				}
			}
		}
	}
	at := time.Date(2026, 11, 25, 7, 10, 0, 0, time.UTC)
	for _, c := range []struct{ from, to, want time.Duration }{
		{50 * time.Second, 3*time.Minute + 55*time.Second, 3 * time.Minute}, // 07:10 to 07:13
		{59 * time.Second, 4 * time.Minute, 4 * time.Minute},
		{5 * time.Second, 55 * time.Second, time.Minute},
	} {
		if got := spanShown(at.Add(c.from), at.Add(c.to)); got != c.want {
			t.Errorf("from %v to %v after 07:10: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	if say.minutes(time.Minute) != "1 minuto" || say.minutes(61*time.Second) != "2 minuti" {
		t.Errorf("%q, %q", say.minutes(time.Minute), say.minutes(61*time.Second))
	}
}
