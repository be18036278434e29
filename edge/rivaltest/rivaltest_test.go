package rivaltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/testdata"
)

// Each rival that is here answers, keeps what it may, and asks again for what it
// may not keep.
func TestRivalsKeepWhatTheyMay(t *testing.T) {
	for _, k := range Kinds {
		t.Run(k.Name, func(t *testing.T) {
			if why := k.Missing(); why != "" {
				if testdata.Real() {
					t.Fatal("CRINALE_REAL=all: " + why)
				}
				t.Skip(why)
			}
			var asked atomic.Int64
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.URL.Path == "/kept" {
					w.Header().Set("Cache-Control", "max-age=600")
				} else {
					w.Header().Set("Cache-Control", "no-store")
				}
				io.WriteString(w, r.URL.Path)
			}))
			defer origin.Close()
			r := k.Start(t, strings.TrimPrefix(origin.URL, "http://"))
			t.Logf("%s %s", r.Name, r.Version)
			get := func(path string) {
				t.Helper()
				for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					res, err := http.Get(r.URL + path)
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(res.Body)
					res.Body.Close()
					if err == nil && res.StatusCode == http.StatusOK && string(b) == path {
						return
					}
					if time.Now().After(until) { // one opens its cache after its port
						t.Fatalf("%s: %s, %q, %v", path, res.Status, b, err)
					}
				}
			}
			get("/kept")
			for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				before := asked.Load()
				get("/kept")
				if asked.Load() == before {
					break
				}
				if time.Now().After(until) {
					t.Fatal("nothing is kept")
				}
			}
			before := asked.Load()
			get("/passed")
			get("/passed")
			if n := asked.Load() - before; n != 2 {
				t.Errorf("the origin was asked %d times for what nobody may keep", n)
			}
		})
	}
}
