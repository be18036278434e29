package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/web"
)

const (
	good  = "ginepro sotto la neve 7"
	other = "quattro mucche verdi 12"
)

var (
	admin      = login.Grant{Role: login.Admin, Scope: login.Union}
	technician = login.Grant{Role: login.Technician, Scope: login.Union}
	partner    = login.Grant{Role: login.Partner, Scope: login.Scope{Kind: login.OfPartner, ID: "langanet"}}
)

// world is a shell that listens, with real accounts and a real log.
type world struct {
	t      testing.TB
	Shell  *web.Shell
	People *login.People
	Log    *audit.Log
	URL    string
	logged *lines // what the shell logged
}

// lines is a log kept in memory.
type lines struct{ all chan string }

func (l *lines) Write(b []byte) (int, error) {
	select {
	case l.all <- string(b):
	default:
	}
	return len(b), nil
}

func (l *lines) String() string {
	var b strings.Builder
	for {
		select {
		case s := <-l.all:
			b.WriteString(s)
		default:
			return b.String()
		}
	}
}

// newWorld starts a shell with the accounts amministratrice, tecnica and
// partner, all with the password good.
func newWorld(t testing.TB, change ...func(*web.Config)) *world {
	t.Helper()
	ctx := context.Background()
	db := storetest.SQLite(t)
	w := &world{t: t, logged: &lines{make(chan string, 10000)}}
	var err error
	if w.Log, err = audit.New(audit.Config{}, audit.Deps{Store: db}); err != nil {
		t.Fatal(err)
	}
	cfg := login.Default()
	cfg.Key = []byte("a key of exactly thirty-two byte")
	cfg.Hash = login.HashCost{Passes: 1, MemoryKiB: 8}
	if w.People, err = login.New(cfg, login.Deps{Store: db, Audit: w.Log}); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(context.Context) error{w.Log.Open, w.People.Open} {
		if err := open(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for name, g := range map[string]login.Grant{"amministratrice": admin, "tecnica": technician, "partner-uno": partner} {
		w.add(name, g)
	}
	wc := web.Default()
	wc.Addr = "127.0.0.1:0"
	for _, c := range change {
		c(&wc)
	}
	w.Shell, err = web.New(wc, web.Deps{People: w.People, Audit: w.Log, Log: slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	w.Shell.Handle("GET /rete", web.Needs(login.ReadNetwork), w.Shell.Func(func(out http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(out, "rete di "+web.Who(r.Context()).Person)
		return err
	}))
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Shell.Run(running) }()
	select {
	case <-w.Shell.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	w.URL = w.Shell.URL()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) add(name string, g ...login.Grant) {
	w.t.Helper()
	inv, err := w.People.Invite(context.Background(), name, g)
	if err == nil {
		_, err = w.People.Accept(context.Background(), inv.Code, good)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// token makes a token of a person.
func (w *world) token(person string, rights ...login.Right) login.NewToken {
	w.t.Helper()
	n, err := w.People.AddToken(context.Background(), login.TokenRequest{Person: person, Name: "prova", Rights: rights, Days: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// visitor is a browser without a window: it keeps cookies and follows no
// redirect by itself.
type visitor struct {
	w    *world
	http *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{w, &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what a visitor got.
type answer struct {
	*http.Response
	Body string
}

func (v *visitor) do(method, target, body string, header ...string) answer {
	v.w.t.Helper()
	r, err := http.NewRequest(method, v.w.URL+target, strings.NewReader(body))
	if err != nil {
		v.w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := v.http.Do(r)
	if err != nil {
		v.w.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.w.t.Fatal(err)
	}
	return answer{res, string(b)}
}

func (v *visitor) get(target string, header ...string) answer {
	v.w.t.Helper()
	return v.do("GET", target, "", header...)
}

// post sends a form as a page of this site does.
func (v *visitor) post(target string, fields ...string) answer {
	v.w.t.Helper()
	f := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Add(fields[i], fields[i+1])
	}
	return v.do("POST", target, f.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", v.w.URL)
}

// enter signs in and wants it to work.
func (v *visitor) enter(name string) *visitor {
	v.w.t.Helper()
	if a := v.post("/entra", "nome", name, "password", good); a.StatusCode != 303 {
		v.w.t.Fatalf("%s cannot sign in: %d %s", name, a.StatusCode, main(a.Body))
	}
	return v
}

// session is the session cookie's value.
func (v *visitor) session() string {
	u, err := url.Parse(v.w.URL)
	if err != nil {
		v.w.t.Fatal(err)
	}
	for _, c := range v.http.Jar.Cookies(u) {
		if c.Name == "crinale" || c.Name == "__Host-crinale" {
			return c.Value
		}
	}
	return ""
}

var mainElement = regexp.MustCompile(`(?s)<main.*</main>`)

// main is the content of a page, for messages.
func main(body string) string {
	if m := mainElement.FindString(body); m != "" {
		return m
	}
	return body
}
