package edge

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// noon is the present of the tests.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// header reads "Name: value" lines; {+60} in a value is the date 60 s from noon.
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		if before, rest, ok := strings.Cut(value, "{"); ok {
			span, after, _ := strings.Cut(rest, "}")
			d, err := time.ParseDuration(span)
			if err != nil {
				panic(err)
			}
			value = before + noon.Add(d).Format(imfFixdate) + after
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

func get(lines ...string) Request { return Request{Method: "GET", Header: header(lines...)} }

// answer came at noon, half a second after it was asked for.
func answer(status int, lines ...string) Response {
	return Response{Status: status, Header: header(append([]string{"Date: {0s}"}, lines...)...), Asked: noon.Add(-500 * time.Millisecond), Got: noon}
}

// keep stores an answer to a request.
func keep(t *testing.T, r Rules, q Request, a Response) *Stored {
	t.Helper()
	s, why := r.Storable(q, a)
	if why != Keep {
		t.Fatalf("%v is not kept: %s", a.Header, why)
	}
	return s
}

var strictly = Rules{Profile: Strict, Targets: DefaultRules().Targets, Heuristic: 24 * time.Hour}

func TestStorable(t *testing.T) {
	const fresh = "Cache-Control: max-age=60"
	for _, c := range []struct {
		name string
		q    Request
		a    Response
		want Refusal
	}{
		{"9111 3: lifetime", get(), answer(200, fresh), Keep},
		{"9111 3: expires", get(), answer(200, "Expires: {60s}"), Keep},
		{"9111 3: validator alone", get(), answer(200, `ETag: "a"`), Keep},
		{"9111 3: nothing to keep it by", get(), answer(200), RefuseFreshness},
		{"9111 3: other method", Request{Method: "POST"}, answer(200, fresh), RefuseMethod},
		{"9111 3: HEAD has no body", Request{Method: "HEAD"}, answer(200, fresh), RefuseMethod},
		{"9111 3: interim", get(), answer(103, fresh), RefuseStatus},
		{"9110 15.4.5: of this request alone", get(), answer(304, fresh), RefuseStatus},
		{"9110 15.5.17: of this range alone", get(), answer(416, fresh), RefuseStatus},
		{"9111 3: status of which no lifetime is guessed", get(), answer(302, "Last-Modified: {-1000h}"), RefuseFreshness},
		{"9111 3: the same with a lifetime", get(), answer(302, fresh), Keep},
		{"9111 3: the same, public", get(), answer(302, "Cache-Control: public", "Last-Modified: {-1000h}"), Keep},
		{"9111 4.2.2: status of which one is", get(), answer(404, "Last-Modified: {-1000h}"), Keep},
		{"9111 3: unknown status with a lifetime", get(), answer(299, fresh), Keep},
		{"9111 5.2.2.3: must-understand, unknown", get(), answer(299, fresh+", must-understand"), RefuseStatus},
		{"9111 5.2.2.3: must-understand lifts no-store", get(), answer(200, fresh+", must-understand, no-store"), Keep},
		{"9111 5.2.2.5", get(), answer(200, fresh+", no-store"), RefuseNoStore},
		{"9111 5.2.1.5", get("Cache-Control: no-store"), answer(200, fresh), RefuseNoStore},
		{"9111 5.2.2.7", get(), answer(200, fresh+", private"), RefusePrivate},
		{"9111 5.2.2.7: of a field", get(), answer(200, fresh+`, private="x-who"`, "X-Who: a"), Keep},
		{"9111 3.5", get("Authorization: Basic eA=="), answer(200, fresh), RefuseAuthorized},
		{"9111 3.5: public", get("Authorization: Basic eA=="), answer(200, fresh+", public"), Keep},
		{"9111 3.5: s-maxage", get("Authorization: Basic eA=="), answer(200, "Cache-Control: s-maxage=1"), Keep},
		{"9111 3.5: must-revalidate", get("Authorization: Basic eA=="), answer(200, fresh+", must-revalidate"), Keep},
		{"9111 3.5: proxy-revalidate is not enough", get("Authorization: Basic eA=="), answer(200, fresh+", proxy-revalidate"), RefuseAuthorized},
		{"9111 3.5: an empty field is one", get("Authorization:"), answer(200, fresh), RefuseAuthorized},
		{"9110 12.5.5", get(), answer(200, fresh, "Vary: accept, *"), RefuseVary},
		{"9110 12.5.5: no name", get(), answer(200, fresh, "Vary: a b"), RefuseVary},
		{"9110 15.3.7", get("Range: bytes=0-1"), answer(206, fresh, "Content-Range: bytes 0-1/9"), Keep},
		{"9110 15.3.7: no place", get("Range: bytes=0-1"), answer(206, fresh), RefuseRange},
		{"9110 15.3.7: several", get("Range: bytes=0-1,4-5"), answer(206, fresh, "Content-Type: multipart/byteranges"), RefuseRange},
		{"9213 2.2: forbids", get(), answer(200, fresh, "CDN-Cache-Control: no-store"), RefuseNoStore},
		{"9213 2.2: allows", get(), answer(200, "Cache-Control: no-store", "CDN-Cache-Control: max-age=9"), Keep},
		{"9213 2.2: ours first", get(), answer(200, "CDN-Cache-Control: max-age=9", "Crinale-Cache-Control: private"), RefusePrivate},
		{"9213 2.2: cannot be read", get(), answer(200, "Cache-Control: no-store", "CDN-Cache-Control: max-age=9,"), RefuseNoStore},
		{"9213 2.2: empty", get(), answer(200, "Cache-Control: no-store", "CDN-Cache-Control:"), RefuseNoStore},
		{"9213 2.2: Expires counts for nothing", get(), answer(200, "CDN-Cache-Control: x", "Expires: {60s}"), RefuseFreshness},
	} {
		for _, r := range []Rules{DefaultRules(), strictly} {
			if _, got := r.Storable(c.q, c.a); got != c.want {
				t.Errorf("%s (profile %d): %q, want %q", c.name, r.Profile, got, c.want)
			}
		}
	}
	cookie := answer(200, fresh, "Set-Cookie: a=b")
	if _, why := DefaultRules().Storable(get(), cookie); why != RefuseCookie {
		t.Errorf("a cookie in the safe profile: %q", why)
	}
	if s := keep(t, strictly, get(), cookie); s.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("a cookie in the strict profile: %v", s.Header)
	}
	if s := keep(t, DefaultRules(), get(), answer(200, fresh+`, private="set-cookie"`, "Set-Cookie: a=b")); s.Header["Set-Cookie"] != nil {
		t.Errorf("a cookie that the origin holds private: %v", s.Header)
	}
}

// RFC 9111 §3.1: what was of the connection is not kept; what is for all is,
// whatever Connection lists.
func TestWithoutConnection(t *testing.T) {
	s := keep(t, strictly, get(), answer(200, "Cache-Control: max-age=60, no-cache=x", "Connection: a, B", "Connection: cache-control,,keep-alive", "A: 1", "b: 2", "C: 3",
		"Keep-Alive: 5", "Proxy-Authenticate: x", "Te: x", "Transfer-Encoding: x", "Upgrade: x", "Trailer: x", "Proxy-Connection: x"))
	if len(s.Header) != 3 || s.Header.Get("C") != "3" || s.Header.Get("Cache-Control") == "" || s.Header.Get("Date") == "" {
		t.Errorf("%v", s.Header)
	}
}

func TestEvaluate(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		a       Response
		q       Request
		after   time.Duration
		act     Act
		why     Why
		ifError bool
	}{
		{"4.2: fresh", answer(200, "Cache-Control: max-age=60"), get(), 59 * time.Second, Serve, WhyNot, false},
		{"4.2: a lifetime that is over is none", answer(200, "Cache-Control: max-age=60"), get(), 60 * time.Second, Validate, WhyStale, false},
		{"4.2.1: s-maxage first", answer(200, "Cache-Control: max-age=9, s-maxage=60"), get(), 50 * time.Second, Serve, WhyNot, false},
		{"4.2.1: max-age before Expires", answer(200, "Cache-Control: max-age=9", "Expires: {1h}"), get(), 10 * time.Second, Validate, WhyStale, false},
		{"4.2.1: Expires", answer(200, "Expires: {1h}"), get(), 59 * time.Minute, Serve, WhyNot, false},
		{"5.3: Expires that is no date", answer(200, "Expires: 0", `ETag: "a"`), get(), time.Second, Validate, WhyStale, false},
		{"4.2.3: Age", answer(200, "Cache-Control: max-age=60", "Age: 59"), get(), time.Second, Validate, WhyStale, false},
		{"4.2.3: Age, the first of two", answer(200, "Cache-Control: max-age=60", "Age: 0, 99"), get(), 0, Serve, WhyNot, false},
		{"4.2.3: Age that is no number", answer(200, "Cache-Control: max-age=60", "Age: 99x"), get(), 0, Serve, WhyNot, false},
		{"4.2.3: an old Date", answer(200, "Cache-Control: max-age=60"), get(), 0, Serve, WhyNot, false},
		{"4.2.2: a tenth of what it is old", answer(200, "Last-Modified: {-100h}"), get(), 10*time.Hour - time.Minute, Serve, WhyNot, false},
		{"4.2.2: no more", answer(200, "Last-Modified: {-100h}"), get(), 10*time.Hour + time.Minute, Validate, WhyStale, false},
		{"4.2.2: at most a day", answer(200, "Last-Modified: {-9999h}"), get(), day + time.Minute, Validate, WhyStale, false},
		{"5.2.2.4", answer(200, "Cache-Control: max-age=60, no-cache"), get(), 0, Validate, WhyStale, false},
		{"5.2.1.4", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: no-cache"), 0, Validate, WhyRequest, true},
		{"5.4", answer(200, "Cache-Control: max-age=60"), get("Pragma: no-cache"), 0, Validate, WhyRequest, true},
		{"5.4: with Cache-Control", answer(200, "Cache-Control: max-age=60"), get("Pragma: no-cache", "Cache-Control: x"), 0, Serve, WhyNot, false},
		{"5.2.1.1", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-age=10"), 11 * time.Second, Validate, WhyRequest, true},
		{"5.2.1.1: not older", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-age=10"), 9 * time.Second, Serve, WhyNot, false},
		{"5.2.1.3", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: min-fresh=30"), 31 * time.Second, Validate, WhyRequest, true},
		{"5.2.1.3: fresh for longer", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: min-fresh=30"), 29 * time.Second, Serve, WhyNot, false},
		{"5.2.1.2", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-stale=10"), 69 * time.Second, Serve, WhyNot, false},
		{"5.2.1.2: too stale", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-stale=10"), 71 * time.Second, Validate, WhyStale, false},
		{"5.2.1.2: any", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-stale"), day, Serve, WhyNot, false},
		{"5.2.2.2", answer(200, "Cache-Control: max-age=60, must-revalidate"), get("Cache-Control: max-stale"), day, Validate, WhyStale, false},
		{"5.2.2.8", answer(200, "Cache-Control: max-age=60, proxy-revalidate"), get("Cache-Control: max-stale"), day, Validate, WhyStale, false},
		{"5.2.2.10", answer(200, "Cache-Control: s-maxage=60"), get("Cache-Control: max-stale"), day, Validate, WhyStale, false},
		{"5.2.1.7", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: only-if-cached"), time.Second, Serve, WhyNot, false},
		{"5.2.1.7: stale", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: only-if-cached"), day, GiveUp, WhyNot, false},
		{"5861 3", answer(200, "Cache-Control: max-age=60, stale-while-revalidate=60"), get(), 119 * time.Second, ServeAndValidate, WhyStale, false},
		{"5861 3: over", answer(200, "Cache-Control: max-age=60, stale-while-revalidate=60"), get(), 121 * time.Second, Validate, WhyStale, false},
		{"5861 3: forbidden", answer(200, "Cache-Control: max-age=60, stale-while-revalidate=60, must-revalidate"), get(), 61 * time.Second, Validate, WhyStale, false},
		{"5861 4", answer(200, "Cache-Control: max-age=60, stale-if-error=600"), get(), 10 * time.Minute, Validate, WhyStale, true},
		{"5861 4: over", answer(200, "Cache-Control: max-age=60, stale-if-error=600"), get(), 12 * time.Minute, Validate, WhyStale, false},
		{"5861 4: asked for", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: stale-if-error=600"), 10 * time.Minute, Validate, WhyStale, true},
		{"5861 4: forbidden", answer(200, "Cache-Control: max-age=60, stale-if-error=600, must-revalidate"), get(), 10 * time.Minute, Validate, WhyStale, false},
		{"9213: the lifetime for us", answer(200, "Cache-Control: max-age=1", "CDN-Cache-Control: max-age=60"), get(), 59 * time.Second, Serve, WhyNot, false},
		{"a clock that was set back: of any age", answer(200, "Cache-Control: max-age=60"), get("Cache-Control: max-stale"), -time.Hour, Validate, WhyStale, false},
		{"a clock that was set back a little", answer(200, "Cache-Control: max-age=60"), get(), -time.Second, Serve, WhyNot, false},
		{"4.3.2: conditions for the origin", answer(200, "Cache-Control: max-age=60"), get(`If-Match: "a"`), 0, Fetch, WhyBypass, false},
		{"9.2: another method", answer(200, "Cache-Control: max-age=60"), Request{Method: "DELETE"}, 0, Fetch, WhyMethod, false},
		{"HEAD", answer(200, "Cache-Control: max-age=60"), Request{Method: "HEAD"}, 0, Serve, WhyNot, false},
	} {
		s := keep(t, strictly, get(), c.a)
		d := strictly.Evaluate(s, c.q, noon.Add(c.after))
		if d.Act != c.act || d.Why != c.why || d.IfError != c.ifError {
			t.Errorf("%s: %v, %q, if error %v (age %v of %v), want %v, %q, %v", c.name, d.Act, d.Why, d.IfError, d.Age, d.Lifetime, c.act, c.why, c.ifError)
		}
	}
	if d := strictly.Evaluate(nil, get(), noon); d.Act != Fetch || d.Why != WhyMiss {
		t.Errorf("nothing stored: %+v", d)
	}
	if d := strictly.Evaluate(nil, get("Cache-Control: only-if-cached"), noon); d.Act != GiveUp {
		t.Errorf("nothing stored, and nothing else wanted: %+v", d)
	}
}

// RFC 9110 §6.6.1: what came without a Date is kept with the time at which it
// came.
func TestDateIsAdded(t *testing.T) {
	a := answer(200, "Cache-Control: max-age=60")
	delete(a.Header, "Date")
	if s := keep(t, strictly, get(), a); s.Header.Get("Date") != noon.Format(imfFixdate) || a.Header.Get("Date") != "" {
		t.Errorf("stored %v of %v", s.Header, a.Header)
	}
}

// In the safe profile whoever signs in gets only what the origin says is for
// all, also of what was kept for a stranger.
func TestAuthorizedInTheSafeProfile(t *testing.T) {
	r := DefaultRules()
	q := get("Authorization: Basic eA==")
	if d := r.Evaluate(keep(t, r, get(), answer(200, "Cache-Control: max-age=60")), q, noon); d.Act != Fetch || d.Why != WhyBypass {
		t.Errorf("not said to be for all: %+v", d)
	}
	if d := r.Evaluate(keep(t, r, get(), answer(200, "Cache-Control: max-age=60, public")), q, noon); d.Act != Serve {
		t.Errorf("public: %+v", d)
	}
	if d := r.Evaluate(keep(t, r, get(), answer(200, "Cache-Control: max-age=60")), get("Authorization: x", "Cache-Control: only-if-cached"), noon); d.Act != GiveUp {
		t.Errorf("not for all, and nothing else wanted: %+v", d)
	}
}

// The policy of a service lets stale answers be given when the origin is away,
// but for those that must be validated.
func TestStaleIfErrorOfTheService(t *testing.T) {
	r := DefaultRules()
	r.StaleIfError = time.Hour
	for control, want := range map[string]bool{"max-age=1": true, "max-age=1, must-revalidate": false, "s-maxage=1": false, "max-age=1, no-cache": false} {
		if d := r.Evaluate(keep(t, r, get(), answer(200, "Cache-Control: "+control)), get(), noon.Add(time.Minute)); d.IfError != want {
			t.Errorf("%s: %+v", control, d)
		}
	}
	if d := r.Evaluate(keep(t, r, get(), answer(200, "Cache-Control: max-age=1")), get(), noon.Add(2*time.Hour)); d.IfError {
		t.Errorf("after its time: %+v", d)
	}
}

// RFC 9111 §4.2.3: the figures of an answer that was under way for long.
func TestAge(t *testing.T) {
	a := Response{Status: 200, Header: header("Date: {-40s}", "Age: 30", "Cache-Control: max-age=600"), Asked: noon.Add(-20 * time.Second), Got: noon}
	s := keep(t, strictly, get(), a)
	if age, known := s.Age(noon.Add(5 * time.Second)); age != 55*time.Second || !known {
		t.Errorf("by Age and delay: %v, %v", age, known)
	}
	a.Header.Set("Age", "3")
	if age, _ := keep(t, strictly, get(), a).Age(noon); age != 40*time.Second {
		t.Errorf("by Date: %v", age)
	}
	a.Header.Set("Date", noon.Add(time.Hour).Format(imfFixdate))
	if age, _ := keep(t, strictly, get(), a).Age(noon); age != 23*time.Second {
		t.Errorf("by a Date ahead: %v", age)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	r := DefaultRules()
	s, _ := r.Storable(get("Accept-Encoding: gzip"), answer(200, "Cache-Control: public, max-age=60, stale-if-error=600", "Vary: Accept-Encoding", `ETag: "abc"`, "Last-Modified: {-10h}"))
	q := get("Accept-Encoding: gzip", "Accept-Language: it")
	for b.Loop() {
		if d := r.Evaluate(s, q, noon.Add(time.Second)); d.Act != Serve {
			b.Fatal(d)
		}
	}
}
