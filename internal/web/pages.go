package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/login"
)

// Pages renders the templates of one area inside the layout.
//
// Every file of the area's folder without a leading underscore is a page and
// defines "content"; files with one are parts that its pages share. Besides
// the actions of html/template they have:
//
//	t KEY ARGS…       the words of a key, the area's own or the shell's
//	num V DECIMALS    a number, as the language writes it
//	asset FILE        the address of a static file
//	when TIME         date and time in the configured place, as a <time> element
//	ago TIME          how long ago, as a <time> element
//	lang              the language
type Pages struct {
	shell *Shell
	words Catalog
	pages map[Lang]map[string]*template.Template
}

// View is what a page hands to the layout.
type View struct {
	Title   string   // key of the words
	Heading string   // instead of Title: text as it is
	Args    []any    // of Title
	Nav     string   // path of the Entry that is lit
	Self    string   // path of the page where it is not that of the request, as in the answer to a form
	Styles  []string // static files, missing ones are left out
	Scripts []string // likewise
	Install string   // path of a web manifest: the pages can be put on a phone's first screen
	Data    any
}

// layoutData is what templates see.
type layoutData struct {
	View
	Lang, Other    Lang
	OtherURL, Path string
	Union          string
	Demo, Plain    bool
	Entries        []Entry
	Foot           []FootLink
	Large          bool   // large type
	Person         string // who is signed in; "" for a stranger
	Nameless       bool   // their account's name was made by chance and says nothing to them
	SignsOut       bool   // by a button
	SignInAt       string // where a stranger signs in; "" where nobody can
}

// PagesIn is Pages with the folders templates and words of an area's files.
func (s *Shell) PagesIn(files fs.FS) (*Pages, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, err
	}
	words, err := fs.Sub(files, "words")
	if err != nil {
		return nil, err
	}
	return s.Pages(templates, words)
}

// Pages parses an area's templates and reads its words. Words of the shell
// can be used too; an area cannot change them.
func (s *Shell) Pages(templates, words fs.FS) (*Pages, error) {
	cat, err := ReadCatalog(words)
	if err != nil {
		return nil, err
	}
	p := &Pages{shell: s, words: cat, pages: map[Lang]map[string]*template.Template{}}
	if s.own != nil {
		for l, w := range s.own.words {
			for k, v := range w {
				if _, ok := cat[l][k]; ok {
					return nil, fmt.Errorf("words %s.json: %q is a word of the shell", l, k)
				}
				cat[l][k] = v
			}
		}
	}
	files, err := fs.Glob(templates, "*.html")
	if err != nil {
		return nil, err
	}
	for _, l := range Langs {
		base, err := template.New("layout.html").Option("missingkey=error").Funcs(p.funcs(l)).ParseFS(embedded, "templates/layout.html")
		if err != nil {
			return nil, fmt.Errorf("parse layout: %w", err)
		}
		for _, f := range files {
			if strings.HasPrefix(f, "_") {
				if _, err := base.ParseFS(templates, f); err != nil {
					return nil, fmt.Errorf("parse template: %w", err)
				}
			}
		}
		p.pages[l] = map[string]*template.Template{}
		for _, f := range files {
			if strings.HasPrefix(f, "_") || f == "layout.html" {
				continue
			}
			page, err := base.Clone()
			if err != nil {
				return nil, fmt.Errorf("parse template: %w", err)
			}
			if _, err := page.ParseFS(templates, f); err != nil {
				return nil, fmt.Errorf("parse template: %w", err)
			}
			p.pages[l][path.Base(f)] = page
		}
	}
	return p, nil
}

// Text is the words of a key.
func (p *Pages) Text(l Lang, key string, args ...any) string { return p.words.Text(l, key, args...) }

// Texts is the words of a key in every language, for an Entry.
func (p *Pages) Texts(key string) map[Lang]string {
	m := map[Lang]string{}
	for _, l := range Langs {
		m[l] = p.words.Text(l, key)
	}
	return m
}

// Write renders a page with status 200.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, page string, v View) error {
	return p.write(w, r, http.StatusOK, page, v)
}

// WriteStatus renders a page with another status, as one that says why its
// form did not work.
func (p *Pages) WriteStatus(w http.ResponseWriter, r *http.Request, status int, page string, v View) error {
	return p.write(w, r, status, page, v)
}

func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, page string, v View) error {
	l := LangOf(r)
	t, ok := p.pages[l][page]
	if !ok {
		return fmt.Errorf("render %s: no such page", page)
	}
	d := layoutData{
		View: v, Lang: l, Path: r.URL.Path, Union: p.shell.cfg.Union, Demo: p.shell.cfg.Demo,
		Plain: !p.shell.static.dist, Entries: p.shell.entriesFor(r),
		Foot: p.shell.foot, Large: Large(r),
	}
	if id := Who(r.Context()); id.Known() {
		d.Person, d.SignsOut = id.Person, id.Via == viaSession
		d.Nameless = len(id.Grants) > 0 && !slices.ContainsFunc(id.Grants, func(g login.Grant) bool { return g.Role != login.Resident })
	} else if p.shell.people != nil {
		d.SignInAt = signInAt(r)
	}
	for _, o := range Langs {
		if o != l {
			d.Other = o
		}
	}
	q := r.URL.Query()
	q.Set("lang", string(d.Other))
	self := r.URL.Path
	if v.Self != "" {
		self = v.Self
	}
	d.OtherURL = self + "?" + q.Encode()
	if d.Heading == "" && v.Title != "" {
		d.Heading = p.words.Text(l, v.Title, v.Args...)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return fmt.Errorf("render %s: %w", page, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(l))
	h.Add("Vary", "Accept-Language")
	h.Add("Vary", "Cookie")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", cacheControl(r, "no-cache", "no-store"))
	}
	remember(w, r, l)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the peer may have gone
	return nil
}

func (p *Pages) funcs(l Lang) template.FuncMap {
	s := p.shell
	return template.FuncMap{
		"t":     func(key string, args ...any) string { return p.words.Text(l, key, args...) },
		"num":   func(v any, decimals int) (string, error) { return number(l, v, decimals) },
		"asset": func(name string) string { return s.static.url(name) },
		"when":  func(at time.Time) template.HTML { return p.when(l, at) },
		"ago":   func(at time.Time) template.HTML { return p.ago(l, at) },
		"lang":  func() Lang { return l },
	}
}

func number(l Lang, v any, decimals int) (string, error) {
	switch v := v.(type) {
	case float64:
		return Number(l, v, decimals), nil
	case int:
		return Number(l, float64(v), decimals), nil
	}
	return "", fmt.Errorf("num: want a float64 or an int, got %T", v)
}

// Clock is the hour and minute of a moment in the configured place.
func (s *Shell) Clock(at time.Time) string { return at.In(s.cfg.Location).Format("15:04") }

// Location is the configured place of times.
func (s *Shell) Location() *time.Location { return s.cfg.Location }

// Now is the clock of the shell.
func (s *Shell) Now() time.Time { return s.now() }

func (p *Pages) when(l Lang, at time.Time) template.HTML {
	if at.IsZero() {
		return template.HTML(template.HTMLEscapeString(p.Text(l, "time.never")))
	}
	layout := "02/01/2006 15:04"
	if l == English {
		layout = "2 Jan 2006 15:04"
	}
	return template.HTML(`<time datetime="` + at.UTC().Format(time.RFC3339) + `">` + at.In(p.shell.cfg.Location).Format(layout) + `</time>`)
}

func (p *Pages) ago(l Lang, at time.Time) template.HTML {
	if at.IsZero() {
		return template.HTML(template.HTMLEscapeString(p.Text(l, "time.never")))
	}
	text := p.Age(l, p.shell.now().Sub(at))
	return template.HTML(`<time datetime="` + at.UTC().Format(time.RFC3339) + `">` + template.HTMLEscapeString(text) + `</time>`)
}

// Age says in words how long ago something was.
func (p *Pages) Age(l Lang, d time.Duration) string {
	return p.Text(l, "time.ago", p.Span(l, d))
}

// Span says in words how long something lasts.
func (p *Pages) Span(l Lang, d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return p.Text(l, "time.seconds", int(math.Round(d.Seconds())))
	case d < 2*time.Hour:
		return p.Text(l, "time.minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return p.Text(l, "time.hours", int(d.Hours()))
	}
	return p.Text(l, "time.days", int(d.Hours()/24))
}
