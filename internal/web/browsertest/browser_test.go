package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// witness notes errors instead of failing.
type witness struct {
	testing.TB
	lines []string
}

func (w *witness) Helper() {}
func (w *witness) Errorf(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// TestSeesWhatIsWrong holds the harness itself against a page that is wrong
// in every way it knows.
func TestSeesWhatIsWrong(t *testing.T) {
	const bad = `<!doctype html><html><head><title>x</title></head><body><main>
		<p style="position:absolute;top:0;left:0">first line of text</p><p style="position:absolute;top:2px;left:5px">second line of text</p>
		<div style="width:2000px">wide</div><input style="position:absolute;top:0;left:0"><a href="/" style="outline:none">quiet link</a>
		<img src="http://elsewhere.example/x.png" alt=""><img src="/missing.png" alt="">
		</main><script>console.error("said so"); throw new Error("thrown")</script></body></html>`
	const good = `<!doctype html><html lang="it"><head><title>Bene</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
		<body><main><h1>Bene</h1><p>Tutto a posto.</p></main></body></html>`
	const wide = `<!doctype html><html lang="it"><head><title>Largo</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
		<style>a:focus { outline: 2px solid } @media (min-width: 700px) and (max-width: 800px) { div { width: 2000px } } @media (prefers-color-scheme: dark) { a:focus { outline: none } p { color: #eee } } img { width: 9px; height: 9px } @media (max-width: 1200px) { img { display: none } }</style></head>
		<body><main><h1>Largo</h1><div><a href="/">Un legame</a></div><p>Testo</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></main></body></html>`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/bad":
			fmt.Fprint(w, bad)
		case "/wide":
			fmt.Fprint(w, wide)
		case "/good":
			fmt.Fprint(w, good)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	b := Open(t)
	b.Check(srv.URL+"/good", 360)

	w := &witness{TB: t}
	b.t = w
	b.Check(srv.URL+"/bad", 360)
	b.Check(srv.URL + "/nowhere")
	some := &witness{TB: t}
	b.t = some
	b.Check(srv.URL + "/wide")
	wrong := []string{"(768 px): the page is 2008 px wide", "(360 px, dark): focus is not seen"}
	if b.axe != "" {
		wrong = []string{wrong[0], "(1280 px): axe image-alt", wrong[1], "(360 px, dark): axe color-contrast"}
	}
	if !slices.EqualFunc(some.lines, wrong, strings.Contains) {
		t.Errorf("wrong at one width and in the dark: %q", some.lines)
	}
	b.t = t
	all := strings.Join(w.lines, "\n")
	for _, want := range []string{
		"text over text", "px wide in a window of", "no lang", "elsewhere.example", "missing.png", "said so", "thrown", "text over text: <input> and ", "focus is not seen", "404",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("not seen: %s", want)
		}
	}
	if b.axe != "" && !strings.Contains(all, "axe html-has-lang") {
		t.Error("axe saw nothing")
	}
	if t.Failed() {
		t.Log(all)
	}
}
