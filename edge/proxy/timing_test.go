package proxy

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// TestNothingTellsThatAPrivateAnswerWasThere: what somebody received in private
// makes no difference to a stranger who asks for the same, in what is said, in
// whether the origin is asked, and so in time: never less than the origin takes.
// Nor does a stranger who asks at the same moment receive it, or wait for it.
func TestNothingTellsThatAPrivateAnswerWasThere(t *testing.T) {
	const takes = 30 * time.Millisecond
	victim := []string{"Cookie: session=victim", "Authorization: Bearer victim"}
	for kind, head := range map[string]map[string]string{
		"private":          {"Cache-Control": "private, max-age=600"},
		"no-store":         {"Cache-Control": "no-store"},
		"a cookie is set":  {"Cache-Control": "max-age=600", "Set-Cookie": "session=victim"},
		"not said at all":  {"Last-Modified": "Mon, 01 Jun 2020 10:00:00 GMT"},
		"varies by cookie": {"Cache-Control": "max-age=600", "Vary": "Cookie, Authorization"},
		"varies by all":    {"Cache-Control": "max-age=600", "Vary": "*"},
		"private field":    {"Cache-Control": `max-age=600, private="X-Name"`, "X-Name": "victim"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
				time.Sleep(takes)
				who := "stranger"
				if q.Header.Get("Cookie") != "" {
					who = "victim"
					for k, v := range head {
						w.Header().Set(k, v)
					}
				} else {
					w.Header().Set("Cache-Control", "no-store")
				}
				fmt.Fprint(w, who)
			})
			for i := range 4 {
				h.wants("victim", "", "GET", fmt.Sprint("/seen/", i), victim...)
				var said [2]string
				for j, path := range []string{fmt.Sprint("/seen/", i), fmt.Sprint("/never/", i)} {
					before, began := h.asked.Load(), time.Now()
					g := h.wants("stranger", "", "GET", path)
					if took := time.Since(began); took < takes {
						t.Errorf("%s was answered after %v", path, took)
					}
					if n := h.asked.Load() - before; n != 1 {
						t.Errorf("%s: the origin was asked %d times", path, n)
					}
					said[j] = fmt.Sprint(g.StatusCode, g.Header["Cache-Status"], g.Header["Age"], g.Header["X-Name"], g.Header["Set-Cookie"])
				}
				if said[0] != said[1] {
					t.Errorf("seen: %s, never seen: %s", said[0], said[1])
				}
				path := fmt.Sprint("/both/", i)
				var both sync.WaitGroup
				both.Go(func() { h.wants("victim", "", "GET", path, victim...) })
				both.Go(func() { time.Sleep(takes / 3); h.wants("stranger", "", "GET", path) })
				both.Wait()
			}
		})
	}
}
