package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// One message in five seconds, whoever asks.
func TestShortMessagesKeepTheirDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &SMS{cfg: SMSConfig{Every: 5 * time.Second}, turn: make(chan time.Time, 1)}
		s.turn <- time.Time{}
		begun := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var went []time.Duration
		for range 5 {
			wg.Go(func() {
				if _, err := s.wait(t.Context()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				went = append(went, time.Since(begun))
				mu.Unlock()
				s.turn <- time.Now()
			})
		}
		wg.Wait()
		for i, w := range went {
			if w != time.Duration(i)*5*time.Second {
				t.Errorf("messages went after %v", went)
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.wait(ctx); fault.Of(err) != fault.Unreachable {
			t.Errorf("no time to wait: %v", err)
		}
		if _, err := s.wait(t.Context()); err != nil {
			t.Errorf("the turn was lost: %v", err)
		}
	})
}

func TestShortMessagesOfADayAreCapped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 22, 30, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		s, err := BySMS(SMSConfig{Daily: 2}, db, w.sms)
		if err != nil {
			t.Fatal(err)
		}
		send := func() error {
			return s.Send(t.Context(), To{Phone: "+393331234567"}, Text{Short: "Passaggi: prova di un SMS."})
		}
		for range 2 {
			if err := send(); err != nil {
				t.Fatal(err)
			}
		}
		if err := send(); fault.Of(err) != fault.Refused {
			t.Errorf("beyond the cap: %v", err)
		}
		now = now.Add(45 * time.Minute) // midnight in Rome
		if err := send(); err != nil {
			t.Errorf("the next day: %v", err)
		}
		if n := len(w.sms.all()); n != 3 {
			t.Errorf("%d went", n)
		}
		if err := w.n.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// One member's messages do not use up the day's, and the last of the day are
// for the journeys of today; what does not go is called by the desk.
func TestBudgetOfShortMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		s, err := BySMS(SMSConfig{Daily: 8, Each: 3}, db, w.sms)
		if err != nil {
			t.Fatal(err)
		}
		send := func(m carpool.MemberID, leave time.Duration) error {
			x := Text{Short: "Passaggi: prova di un SMS."}
			if leave != 0 {
				x.Leave = now.Add(leave)
			}
			return s.Send(t.Context(), To{Member: m, Phone: "+393331234567"}, x)
		}
		w.sms.breaks(fault.New(fault.Unreachable, "no network"))
		if err := send("m-1", 0); fault.Of(err) != fault.Unreachable {
			t.Errorf("a gateway that is away: %v", err)
		}
		w.sms.breaks(nil)
		for i := range 3 {
			if err := send("m-1", 0); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		if err := send("m-1", time.Hour); fault.Of(err) != fault.Refused || err == nil {
			t.Errorf("more than one's share: %v", err)
		}
		for _, m := range []carpool.MemberID{"m-2", "m-3"} {
			if err := send(m, 48*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		for name, leave := range map[string]time.Duration{"about no journey": 0, "the day after tomorrow": 48 * time.Hour, "yesterday's": -24 * time.Hour, "tomorrow evening's": 32 * time.Hour} {
			if err := send("m-4", leave); fault.Of(err) != fault.Refused || err == nil {
				t.Errorf("of the reserve, %s: %v", name, err)
			}
		}
		if err := send("m-4", -time.Hour); err != nil {
			t.Errorf("a driver who did not come: %v", err)
		}
		if err := send("m-4", 10*time.Hour); err != nil {
			t.Errorf("this evening's: %v", err)
		}
		if err := send("m-5", 10*time.Hour); fault.Of(err) != fault.Refused || err == nil {
			t.Errorf("beyond the cap: %v", err)
		}
		if n := len(w.sms.all()); n != 7 { // and one that did not go, and may have
			t.Errorf("%d went", n)
		}

		w.n.deps.Channels[carpool.BySMS] = s
		m := person("m-9", carpool.BySMS)
		m.Email, m.Fiscal = "", ""
		w.folk.put(m)
		w.tell(accepted("n-9", m))
		if calls := w.desk.all(); len(calls) != 1 || calls[0].Member != "m-9" {
			t.Errorf("called by the desk: %+v", calls)
		}
	})
}

func TestBadShortMessagesAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	s := w.n.deps.Channels[carpool.BySMS]
	good := Text{Short: "Passaggi: ciao"}
	for name, c := range map[string]struct {
		to string
		x  Text
	}{
		"no number":        {"", good},
		"a line in it":     {"+393331234567\r\nAT+CMGD=1", good},
		"another number":   {"112", good},
		"not as kept":      {"333 1234567", good},
		"nothing to say":   {"+393331234567", Text{}},
		"two lines":        {"+393331234567", Text{Short: "a\r\nb"}},
		"too long":         {"+393331234567", Text{Short: strings.Repeat("a", 161)}},
		"end of a command": {"+393331234567", Text{Short: "a\x1a"}},
	} {
		if err := s.Send(t.Context(), To{Phone: c.to}, c.x); fault.Of(err) != fault.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		} else if c.to != "" && strings.Contains(err.Error(), c.to) {
			t.Errorf("%s: the error tells the number: %v", name, err)
		}
	}
	if n := len(w.sms.all()); n != 0 {
		t.Errorf("%d went", n)
	}
}

func TestGatewayByHTTP(t *testing.T) {
	type seen struct {
		kind, key, body string
	}
	var mu sync.Mutex
	var got []seen
	code, wait := 200, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, seen{r.Header.Get("Content-Type"), r.Header.Get("X-Key"), string(b)})
		if wait != "" {
			w.Header().Set("Retry-After", wait)
		}
		w.WriteHeader(code)
		io.WriteString(w, "number +393331234567 is no good")
	}))
	defer srv.Close()
	text := `Ciao & "to"={to} ` + "\u00e8"
	for _, format := range []string{"json", "form"} {
		g, err := NewHTTPGateway(HTTPGatewayConfig{URL: srv.URL + "/send", Format: format, Header: "X-Key",
			Fields: map[string]string{"recipient": "{to}", "message": "{text}", "sender": "Unione", "ref": "{key}"}}, "chiave", nil)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		got, code, wait = nil, 200, ""
		mu.Unlock()
		if err := g.Send(t.Context(), "+393331234567", text, "n-1"); err != nil {
			t.Fatal(err)
		}
		fields := map[string]string{}
		if format == "json" {
			if err := json.Unmarshal([]byte(got[0].body), &fields); err != nil {
				t.Fatal(err)
			}
		} else {
			form, err := url.ParseQuery(got[0].body)
			if err != nil {
				t.Fatal(err)
			}
			for k := range form {
				fields[k] = form.Get(k)
			}
		}
		if fields["recipient"] != "+393331234567" || fields["message"] != text || fields["sender"] != "Unione" || fields["ref"] != "n-1" || len(fields) != 4 || got[0].key != "chiave" {
			t.Errorf("%s: %+v as %v", format, got[0], fields)
		}
		for c, want := range map[int]fault.Kind{400: fault.Refused, 422: fault.Refused, 401: fault.Denied, 403: fault.Denied, 408: fault.Unreachable, 429: fault.Unreachable, 500: fault.Unreachable, 503: fault.Unreachable, 301: fault.Unreachable} {
			mu.Lock()
			code = c
			mu.Unlock()
			err := g.Send(t.Context(), "+393331234567", text, "n-1")
			if fault.Of(err) != want || err == nil {
				t.Errorf("%s %d: kind %v: %v", format, c, fault.Of(err), err)
			} else if strings.Contains(err.Error(), "333") || strings.Contains(err.Error(), "chiave") {
				t.Errorf("%s %d: the error tells too much: %v", format, c, err)
			}
		}
		mu.Lock()
		code, wait = 429, "7"
		mu.Unlock()
		if err := g.Send(t.Context(), "+393331234567", text, "n-1"); !isLater(err) {
			t.Errorf("%s: asked to wait: %v", format, err)
		}
	}
	good := HTTPGatewayConfig{URL: "https://sms.example/send", Format: "json", Fields: map[string]string{"a": "{to}", "b": "{text}"}}
	if _, err := NewHTTPGateway(good, "", nil); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*HTTPGatewayConfig) string{
		"http":            func(c *HTTPGatewayConfig) string { c.URL = "http://sms.example"; return "" },
		"format":          func(c *HTTPGatewayConfig) string { c.Format = "xml"; return "" },
		"no number":       func(c *HTTPGatewayConfig) string { c.Fields = map[string]string{"b": "{text}"}; return "" },
		"no name":         func(c *HTTPGatewayConfig) string { c.Fields = map[string]string{"": "{to}{text}"}; return "" },
		"key, no header":  func(*HTTPGatewayConfig) string { return "hush" },
		"header, no key":  func(c *HTTPGatewayConfig) string { c.Header = "X"; return "" },
		"header of lines": func(c *HTTPGatewayConfig) string { c.Header = "X\r\nY"; return "hush" },
		"key of lines":    func(c *HTTPGatewayConfig) string { c.Header = "X"; return "hush\r\nY: z" },
	} {
		c := good
		key := change(&c)
		if _, err := NewHTTPGateway(c, key, nil); fault.Of(err) != fault.Invalid || err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGatewayOfOneFunction(t *testing.T) {
	var said string
	g := GatewayFunc(func(_ context.Context, phone, text string) error { said = phone + " " + text; return nil })
	if err := g.Send(t.Context(), "+393331234567", "ciao", "n-1"); err != nil || said != "+393331234567 ciao" {
		t.Errorf("%q, %v", said, err)
	}
}
