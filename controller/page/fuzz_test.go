package page_test

import (
	"net/url"
	"testing"
)

// FuzzReadingsQuery asks for readings with any query: the answer is readings
// or says what is wrong with the query, and it never fails.
func FuzzReadingsQuery(f *testing.F) {
	f.Add("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z", "60")
	f.Add("", "", "5m")
	f.Add("2026-11-22T08:00:00+01:00", "9999-12-31T23:59:59Z", "1")
	f.Add("0000-01-01T00:00:00Z", "", "99999999999")
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, from, to, step string) {
		q := url.Values{"from": {from}, "to": {to}, "step": {step}}
		rec := w.get("/api/v1/links/saliceto-murazzano/readings?" + q.Encode())
		if rec.Code != 200 && rec.Code != 400 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// FuzzLinkPage asks for the page of any link with any window.
func FuzzLinkPage(f *testing.F) {
	f.Add("saliceto-murazzano", "24")
	f.Add("fibra-cortemilia", "-1")
	f.Add("<script>", "1e9")
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, id, hours string) {
		rec := w.get("/rete/collegamenti/" + url.PathEscape(id) + "?ore=" + url.QueryEscape(hours))
		if rec.Code >= 500 {
			t.Errorf("%d for %q", rec.Code, id)
		}
	})
}
