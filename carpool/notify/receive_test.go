package notify

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/web"
)

const gatewayKey = "0123456789abcdef0123456789"

var plainFields = ReceiveConfig{"id", "from", "text"}

// shellWith is a server with the route of a gateway, and what it logs.
func shellWith(t *testing.T, w *world, cfg ReceiveConfig, key string) (http.Handler, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	w.n.deps.Log = slog.New(slog.NewTextHandler(&said, nil))
	shell, err := web.New(web.Default(), web.Deps{Log: w.n.deps.Log, Identify: func(*http.Request) (login.Identity, error) { return login.Identity{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReceiver(cfg, key)
	if err == nil {
		err = r.Mount(shell, w.n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return shell.Handler(), &said
}

func bring(h http.Handler, key, kind, body string) int {
	req := httptest.NewRequest("POST", "http://localhost"+ReceivePath, strings.NewReader(body))
	req.Header.Set("Content-Type", kind)
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Code
}

func TestGatewayBringsAnswers(t *testing.T) {
	const jsonKind, form = "application/json", "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		cfg        ReceiveConfig
		kind, body string
	}{
		"json":   {plainFields, jsonKind, `{"id":"77","from":"0039 333 1234567","text":"Sì grazie","operator":"x"}`},
		"nested": {ReceiveConfig{"payload.messageId", "payload.phoneNumber", "payload.message"}, jsonKind + "; charset=utf-8", `{"event":"sms:received","payload":{"messageId":77,"phoneNumber":393331234567,"message":"SI"}}`},
		"form":   {ReceiveConfig{"MessageSid", "From", "Body"}, form, url.Values{"MessageSid": {"77"}, "From": {"+393331234567"}, "Body": {"si'"}}.Encode()},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			driver := person("m-driver", carpool.BySMS)
			w.folk.put(driver)
			w.tell(asks("n-1", driver, time.Now().Add(time.Hour)))
			w.tell(asks("n-2", driver, time.Now().Add(time.Hour)))
			h, _ := shellWith(t, w, c.cfg, gatewayKey)
			for range 3 { // a gateway that heard nothing brings it again
				if code := bring(h, gatewayKey, c.kind, c.body); code != http.StatusNoContent {
					t.Fatalf("answered %d", code)
				}
			}
			if got := w.said.all(); len(got) != 1 || !strings.HasPrefix(got[0], "accept m-driver") {
				t.Errorf("said %q", got)
			}
		})
	}
}

// Who has no key learns nothing and changes nothing; nor does the log tell
// numbers, words or keys.
func TestOnlyTheGatewayBringsAnswers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	w.tell(asks("n-1", driver, time.Now().Add(time.Hour)))
	h, said := shellWith(t, w, plainFields, gatewayKey)
	body := `{"id":"1","from":"+393331234567","text":"SI"}`
	for _, key := range []string{"", "x", gatewayKey + "0", gatewayKey[1:], strings.ToUpper(gatewayKey)} {
		if code := bring(h, key, "application/json", body); code != http.StatusForbidden {
			t.Errorf("key %q: %d", key, code)
		}
	}
	slow := 0
	for range 30 {
		if bring(h, "wrong", "application/json", body) == http.StatusTooManyRequests {
			slow++
		}
	}
	if slow == 0 {
		t.Error("wrong keys are never slowed")
	}
	if len(w.said.all()) != 0 {
		t.Fatalf("said %q", w.said.all())
	}
	if code := bring(h, gatewayKey, "application/json", `{"id":"2","from":"+393339999999","text":"SI"}`); code != http.StatusNoContent {
		t.Errorf("a number of nobody: %d", code)
	}
	if code := bring(h, gatewayKey, "application/json", body); code != http.StatusNoContent || !slices.Equal(w.said.all(), []string{"accept m-driver b-n-1"}) {
		t.Errorf("the gateway itself: %d, said %q", code, w.said.all())
	}
	for _, secret := range []string{"333", "0123456789", "wrong key,x"} {
		if strings.Contains(said.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, said)
		}
	}
	if got := w.heard(); got.Refused == 0 || got.Taken != 1 || got.Nobody != 1 {
		t.Errorf("counted %+v", got)
	}
	h, _ = shellWith(t, w, plainFields, "")
	if code := bring(h, "", "application/json", body); code != http.StatusNotFound {
		t.Errorf("without a key there is an answer: %d", code)
	}
}

func TestBadMessagesOfAGatewayAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	h, _ := shellWith(t, w, plainFields, gatewayKey)
	for name, c := range map[string]struct {
		kind, body string
		want       int
	}{
		"empty":      {"application/json", "", 400},
		"no object":  {"application/json", `["id"]`, 400},
		"no id":      {"application/json", `{"from":"+393331234567","text":"SI"}`, 400},
		"no sender":  {"application/json", `{"id":"1","text":"SI"}`, 400},
		"an object":  {"application/json", `{"id":{"a":1},"from":"+393331234567"}`, 400},
		"long id":    {"application/json", `{"id":"` + strings.Repeat("x", 300) + `","from":"1"}`, 400},
		"other kind": {"text/plain", "SI", 400},
		"bad form":   {"application/x-www-form-urlencoded", "id=%zz", 400},
		"too long":   {"application/json", `{"id":"1","from":"1","text":"` + strings.Repeat("x", 9000) + `"}`, 413},
		"no text":    {"application/json", `{"id":"1","from":"1"}`, 204},
	} {
		if code := bring(h, gatewayKey, c.kind, c.body); code != c.want {
			t.Errorf("%s: %d, want %d", name, code, c.want)
		}
	}
	if _, err := NewReceiver(plainFields, "short"); fault.Of(err) != fault.Invalid || err == nil {
		t.Errorf("a short key: %v", err)
	}
	if _, err := NewReceiver(ReceiveConfig{ID: "id"}, gatewayKey); fault.Of(err) != fault.Invalid || err == nil {
		t.Errorf("fields without names: %v", err)
	}
}

// TestLongNumbersAreNotRounded: two names of many digits are two.
func TestLongNumbersAreNotRounded(t *testing.T) {
	for _, id := range []string{"1442385023412240384", "1442385023412240385", "7"} {
		m, err := readReceived(ReceiveConfig{"id", "from", "text"}, "application/json", []byte(`{"id":`+id+`,"from":"+393331234567","text":"SI"}`))
		if err != nil || m.ID != id {
			t.Errorf("%s: %+v, %v", id, m, err)
		}
	}
	if _, err := readReceived(ReceiveConfig{"id", "from", "text"}, "application/json", []byte(`{"id":"1","from":"+393331234567","text":"SI"}x`)); fault.Of(err) != fault.Invalid {
		t.Errorf("what follows the body: %v", err)
	}
}

func FuzzReceived(f *testing.F) {
	f.Add("application/json", []byte(`{"id":"1","from":"+393331234567","text":"SI"}`))
	f.Add("application/json", []byte(`{"id":1e999,"from":[],"text":{"text":{}}}`))
	f.Add("application/x-www-form-urlencoded", []byte("id=1&from=2&text=%00"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		m, err := readReceived(ReceiveConfig{"id", "from", "text.text"}, kind, body)
		if err == nil && (m.ID == "" || m.From == "" || len(m.ID) > maxReceivedID || len(m.From) > maxReceivedID) {
			t.Errorf("%s %q gave %+v", kind, body, m)
		}
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%s %q: %v", kind, body, err)
		}
	})
}
