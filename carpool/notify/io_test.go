package notify

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool/notify/iotest"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
)

const fiscal = "AAAAAA00A00A000A"

func ioChannel(t *testing.T, url string) *IO {
	t.Helper()
	cfg := DefaultIO()
	cfg.URL, cfg.Timeout = url, 5*time.Second
	c, err := ByIO(cfg, iotest.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// isLater says whether the outbox would not count it as a try.
func isLater(err error) bool {
	_, ok := outbox.Waits(err)
	return ok
}

func TestAppIOTakesEveryMessage(t *testing.T) {
	s := iotest.Start(t)
	s.Person(fiscal, true)
	c, n := ioChannel(t, s.URL), renderer(t)
	sent := 0
	for _, kind := range kinds(t) {
		for _, lang := range Langs {
			v := cases(kind, "Residente")["rider/"]
			v.Reach.Lang = lang
			x, err := n.text(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send(t.Context(), To{Fiscal: fiscal}, x); err != nil {
				t.Errorf("%s %s: %v", kind, lang, err)
			}
			sent++
		}
	}
	got := s.Messages()
	if len(got) != sent || len(s.Wrong()) != 0 {
		t.Fatalf("%d sent, %d taken, wrong: %v", sent, len(got), s.Wrong())
	}
	if got[0].Due != "2026-11-23T06:10:00.000Z" || got[0].Live != 24*3600 || got[0].Fiscal != fiscal {
		t.Errorf("first %+v", got[0])
	}
}

func TestAppIOAsksFirstAndTakesNoForAnAnswer(t *testing.T) {
	s := iotest.Start(t)
	s.Person("BBBBBB00A00A000B", false)
	c := ioChannel(t, s.URL)
	x := Text{Title: "Il Suo passaggio è confermato", Markdown: strings.Repeat("parola ", 20)}
	for name, to := range map[string]string{"does not use it": fiscal, "does not want it": "BBBBBB00A00A000B"} {
		if err := c.Send(t.Context(), To{Fiscal: to}, x); fault.Of(err) != fault.Refused || strings.Contains(err.Error(), to) {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
	}
	for name, bad := range map[string]Text{
		"short subject": {Title: "Ciao", Markdown: x.Markdown}, "long subject": {Title: strings.Repeat("è", 121), Markdown: x.Markdown},
		"short text": {Title: x.Title, Markdown: "Ciao"}, "long text": {Title: x.Title, Markdown: strings.Repeat("😀", 5001)},
	} {
		if err := c.Send(t.Context(), To{Fiscal: fiscal}, bad); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
	}
	if err := c.Send(t.Context(), To{}, x); fault.Of(err) != fault.Invalid {
		t.Errorf("nobody: %v", err)
	}
	if len(s.Messages()) != 0 || len(s.Wrong()) != 0 {
		t.Errorf("%d taken, wrong: %v", len(s.Messages()), s.Wrong())
	}
}

func TestAppIOFaults(t *testing.T) {
	x := Text{Title: "Il Suo passaggio è confermato", Markdown: strings.Repeat("parola ", 20)}
	for _, c := range []struct {
		path string
		code int
		want fault.Kind
	}{
		{"profiles", 500, fault.Unreachable}, {"profiles", 401, fault.Denied}, {"profiles", 403, fault.Denied}, {"profiles", 302, fault.Unreachable},
		{"messages", 500, fault.Unreachable}, {"messages", 503, fault.Unreachable}, {"messages", 400, fault.Refused}, {"messages", 401, fault.Denied}, {"messages", 200, fault.Unreachable},
	} {
		s := iotest.Start(t)
		s.Person(fiscal, true)
		s.Fail(func(path string) int {
			if strings.HasSuffix(path, c.path) {
				return c.code
			}
			return 0
		})
		err := ioChannel(t, s.URL).Send(t.Context(), To{Fiscal: fiscal}, x)
		if err == nil || fault.Of(err) != c.want {
			t.Errorf("%s %d: kind %v, want %v: %v", c.path, c.code, fault.Of(err), c.want, err)
		}
		if err != nil && (strings.Contains(err.Error(), fiscal) || strings.Contains(err.Error(), iotest.Key)) {
			t.Errorf("%s %d: the error tells too much: %v", c.path, c.code, err)
		}
	}
	key, err := ByIO(IOConfig{URL: iotest.Start(t).URL, Timeout: time.Second, Live: time.Hour}, "another", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Send(t.Context(), To{Fiscal: fiscal}, x); fault.Of(err) != fault.Denied {
		t.Errorf("wrong key: %v", err)
	}
	for name, body := range map[string]string{"empty": "", "not JSON": "<html>", "no word of it": "{}", "a wrong type": `{"sender_allowed":"yes"}`, "huge": strings.Repeat("x", 1<<20)} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
		if err := ioChannel(t, srv.URL).Send(t.Context(), To{Fiscal: fiscal}, x); fault.Of(err) != fault.Unreachable {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
		srv.Close()
	}
}

// The limit is 150 requests in five seconds, two for each message.
func TestAppIOWaitsWhenAskedTo(t *testing.T) {
	s := iotest.Start(t)
	s.Person(fiscal, true)
	frozen := time.Now()
	s.Clock(func() time.Time { return frozen })
	c := ioChannel(t, s.URL)
	x := Text{Title: "Il Suo passaggio è confermato", Markdown: strings.Repeat("parola ", 20)}
	for i := range iotest.Limit / 2 {
		if err := c.Send(t.Context(), To{Fiscal: fiscal}, x); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	err := c.Send(t.Context(), To{Fiscal: fiscal}, x)
	if !isLater(err) {
		t.Fatalf("beyond the limit: %v", err)
	}
	for range 10 {
		if err := c.Send(t.Context(), To{Fiscal: fiscal}, x); !isLater(err) {
			t.Errorf("while asked to wait: %v", err)
		}
	}
	if s.Limited() != 1 {
		t.Errorf("asked %d times while told to wait, want once", s.Limited())
	}
	s.Clock(func() time.Time { return frozen.Add(iotest.Window) })
	c.mu.Lock()
	until := c.until
	c.until = time.Time{} // the time has come
	c.mu.Unlock()
	if wait := time.Until(until); wait < time.Second || wait > iotest.Window {
		t.Errorf("it would wait %v", wait)
	}
	if err := c.Send(t.Context(), To{Fiscal: fiscal}, x); err != nil {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		s, date string
		want    time.Duration
	}{
		{"5", "", 5 * time.Second}, {" 0 ", "", 0}, {"-3", "", 0}, {"99999999999", "", 24 * time.Hour}, {"soon", "", 0}, {"", "", 0},
		{"Sun, 22 Nov 2026 12:00:30 GMT", "Sun, 22 Nov 2026 12:00:00 GMT", 30 * time.Second},
		{"Sun, 22 Nov 2026 11:00:30 GMT", "Sun, 22 Nov 2026 12:00:00 GMT", 0},
		{"Sun, 22 Nov 2099 11:00:30 GMT", "Sun, 22 Nov 2026 12:00:00 GMT", 24 * time.Hour},
	} {
		if got := retryAfter(c.s, c.date); got != c.want {
			t.Errorf("%q: %v, want %v", c.s, got, c.want)
		}
	}
}

// What is configured is all that is talked to.
func TestNoOtherHost(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	c := ioChannel(t, srv.URL)
	x := Text{Title: "Il Suo passaggio è confermato", Markdown: strings.Repeat("parola ", 20)}
	if err := c.Send(t.Context(), To{Fiscal: fiscal}, x); fault.Of(err) != fault.Unreachable || elsewhere != 0 {
		t.Errorf("%d requests went elsewhere: %v", elsewhere, err)
	}
	req, err := http.NewRequest(http.MethodPost, other.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.host.do(t.Context(), time.Second, req); err == nil || elsewhere != 0 {
		t.Errorf("another host was asked: %v", err)
	}
	for _, url := range []string{"", "api.io.pagopa.it", "http://api.io.pagopa.it/api/v1", "ftp://localhost/", "https://user:pass@api.io.pagopa.it", "https://", "http://169.254.169.254/", "https://a\nb", "https://a/?x=y"} {
		if _, err := ByIO(IOConfig{URL: url, Timeout: time.Second, Live: time.Hour}, "k", nil); fault.Of(err) != fault.Invalid || err == nil {
			t.Errorf("%q was taken: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Send(ctx, To{Fiscal: fiscal}, x); fault.Of(err) != fault.Unreachable {
		t.Errorf("after the end: %v", err)
	}
}
