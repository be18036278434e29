package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// browserOf is the HTTP client of a script: it keeps cookies and follows
// redirects, as a browser does.
func browserOf(ts *testscript.TestScript) *http.Client {
	return &http.Client{Jar: ts.Value("jar").(http.CookieJar)}
}

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options it cannot fail
	}
	return jar
}

// signin URL USER PASSWORD signs in on the pages; negated, it must be refused.
func signin(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: signin URL USER PASSWORD")
	}
	res, err := browserOf(ts).PostForm(args[0]+"/entra", url.Values{"nome": {args[1]}, "password": {args[2]}})
	if err != nil {
		ts.Fatalf("signin: %v", err)
	}
	defer res.Body.Close()
	if in := res.StatusCode == http.StatusOK && res.Request.URL.Path == "/"; in == neg {
		ts.Fatalf("signin as %s: %s at %s (negated: %v)", args[1], res.Status, res.Request.URL.Path, neg)
	}
}

// signout URL ends the session.
func signout(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: signout URL")
	}
	res, err := browserOf(ts).PostForm(args[0]+"/esci", nil)
	if err != nil {
		ts.Fatalf("signout: %v", err)
	}
	defer res.Body.Close()
}

// get403 URL wants the page to be refused to who is signed in.
func get403(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: get403 URL")
	}
	res, err := browserOf(ts).Get(args[0])
	if err != nil {
		ts.Fatalf("get403: %v", err)
	}
	defer res.Body.Close()
	if (res.StatusCode == http.StatusForbidden) == neg {
		ts.Fatalf("%s: %s (negated: %v)", args[0], res.Status, neg)
	}
}

// accept URL CODE PASSWORD answers an invitation on its page.
func accept(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: accept URL CODE PASSWORD")
	}
	res, err := browserOf(ts).PostForm(args[0]+"/invito", url.Values{"codice": {args[1]}, "nuova": {args[2]}, "ripeti": {args[2]}})
	if err != nil {
		ts.Fatalf("accept: %v", err)
	}
	defer res.Body.Close()
	if (res.StatusCode == http.StatusOK) == neg {
		ts.Fatalf("accept: %s (negated: %v)", res.Status, neg)
	}
}

// ask STATUS METHOD URL [BODY] [HEADER: VALUE…] sends a request without
// cookies and wants a status; the answer is printed. TOKEN in the environment
// is sent.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ask STATUS METHOD URL [BODY] [HEADER:VALUE…]")
	}
	var body io.Reader
	if len(args) > 3 && args[3] != "" {
		body = strings.NewReader(args[3])
	}
	req, err := http.NewRequest(args[1], args[2], body)
	if err != nil {
		ts.Fatalf("ask: %v", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if len(args) > 4 {
		for _, h := range args[4:] {
			k, v, _ := strings.Cut(h, ":")
			req.Header.Set(k, strings.TrimSpace(v))
		}
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		ts.Fatalf("ask: %v", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		ts.Fatalf("ask: %v", err)
	}
	if _, err := ts.Stdout().Write(text); err != nil {
		ts.Fatalf("ask: %v", err)
	}
	if fmt.Sprint(res.StatusCode) != args[0] {
		ts.Fatalf("%s %s: %s, want %s\n%s", args[1], args[2], res.Status, args[0], text)
	}
}

// edit FILE OLD NEW replaces every OLD, of which there must be at least one; \n
// in them is a new line.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	if err != nil {
		ts.Fatalf("edit: %v", err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], `\n`, "\n")
	}
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("edit: %s has no %q", args[0], args[1])
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(b, []byte(args[1]), []byte(args[2])), 0o644); err != nil {
		ts.Fatalf("edit: %v", err)
	}
}

// console CONTROL DEVICE SCRIPT types a script into a simulated device.
func console(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: console CONTROL DEVICE SCRIPT")
	}
	res, err := http.Post(args[0]+"/devices/"+args[1]+"/run", "application/octet-stream", strings.NewReader(args[2]))
	if err != nil {
		ts.Fatalf("console: %v", err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode >= 300 {
		ts.Fatalf("console: %s %s %v", res.Status, text, err)
	}
}

// awaitwaiting DATA waits until a change waits for its confirmation.
func awaitWaiting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: awaitwaiting DATA")
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for {
		var out, talk bytes.Buffer
		if run([]string{"crinale", "network", "history", "--data", ts.MkAbs(args[0]), "--limit", "1"}, &out, &talk) == exitDone && strings.Contains(out.String(), "waiting") {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("no change waits: %s%s", out.String(), talk.String())
		}
	}
}
