package page

import (
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// How many documents a page shows.
const (
	shownHits   = 50
	shownNewest = 15
	shownFolder = 500
)

type documentsPage struct {
	frame
	Query string
	Parts []part
}

// part is what a page shows of one archive.
type part struct {
	Title, Soft, Empty string
	Back               folderRow
	Folders            []folderRow
	Documents          []documentRow
	More               bool
}

type folderRow struct{ Name, Link string }

type documentRow struct {
	Name, Where, Link, Modified, Copied, Snippet, Note string
	Stale                                              bool
}

func (o *Office) row(a Archive, h edge.Hit) documentRow {
	name := path.Base(h.Path)
	where := path.Dir(h.Path)
	if where == "." {
		where = ""
	}
	d := documentRow{Name: name, Where: where, Link: link("/documento", "a", a.Name, "p", h.Path), Modified: h.Modified.In(o.cfg.Zone).Format("02/01/2006"),
		Copied: o.at(h.Fetched), Snippet: h.Snippet, Stale: h.Stale}
	if h.Note != "" {
		d.Note = "Si trova solo per nome"
	}
	return d
}

// home shows folders and the newest documents.
func (o *Office) home(v *visit) {
	p := documentsPage{frame: v.frame("documenti", "Documenti")}
	for _, a := range o.deps.Archives {
		at, n := a.Documents.Last()
		top, err := a.Documents.Folder(v.r.Context(), v.who.Groups, "", shownFolder)
		if err != nil {
			v.fail("documenti", err)
			return
		}
		last, err := a.Documents.Recent(v.r.Context(), v.who.Groups, shownNewest)
		if err != nil {
			v.fail("documenti", err)
			return
		}
		t := part{Title: a.Title, Folders: o.folders(a, "", top.Folders)}
		switch {
		case n == 0:
			t.Empty = "Di questo archivio non c’è ancora una copia."
		case len(last) == 0:
			t.Empty = "In questo archivio non ci sono documenti che può leggere."
		default:
			t.Soft = "Ultima copia: " + o.at(at) + "."
		}
		p.Parts = append(p.Parts, t)
		if len(last) > 0 {
			newest := part{Title: "I più recenti: " + a.Title}
			for _, h := range last {
				newest.Documents = append(newest.Documents, o.row(a, h))
			}
			p.Parts = append(p.Parts, newest)
		}
	}
	if len(p.Parts) == 0 {
		p.Parts = []part{{Empty: "Su questo nodo non ci sono archivi."}}
	}
	send(v.w, http.StatusOK, "documents.html", p)
}

func (o *Office) folders(a Archive, dir string, names []string) (out []folderRow) {
	for _, n := range names {
		out = append(out, folderRow{n, link("/cartella", "a", a.Name, "p", path.Join(dir, n))})
	}
	return out
}

// search finds documents by name and text.
func (o *Office) search(v *visit) {
	query := strings.TrimSpace(v.r.URL.Query().Get("q"))
	if query == "" {
		v.back("/")
		return
	}
	p := documentsPage{frame: v.frame("documenti", "Ricerca"), Query: query}
	found := 0
	for _, a := range o.deps.Archives {
		hits, err := a.Documents.Search(v.r.Context(), v.who.Groups, query, shownHits+1)
		if fault.Of(err) == fault.Invalid && err != nil {
			p.Trouble = "La ricerca è troppo lunga: usi meno parole."
			break
		}
		if err != nil {
			v.fail("documenti", err)
			return
		}
		if len(hits) == 0 {
			continue
		}
		found += len(hits)
		t := part{Title: a.Title, More: len(hits) > shownHits}
		for _, h := range hits[:min(len(hits), shownHits)] {
			t.Documents = append(t.Documents, o.row(a, h))
		}
		p.Parts = append(p.Parts, t)
	}
	if found == 0 && p.Trouble == "" {
		p.Parts = []part{{Empty: "Nessun documento ha tutte queste parole. Provi con una parola sola, o con l’inizio di una parola."}}
	}
	send(v.w, http.StatusOK, "documents.html", p)
}

// archive is the one that a request names.
func (v *visit) archive() (Archive, error) {
	name := v.r.URL.Query().Get("a")
	for _, a := range v.deps.Archives {
		if a.Name == name {
			return a, nil
		}
	}
	return Archive{}, fault.New(fault.NotFound, "archive %.80q: there is none", name)
}

func (o *Office) folder(v *visit) {
	a, err := v.archive()
	dir := v.r.URL.Query().Get("p")
	var l edge.Listing
	if err == nil {
		l, err = a.Documents.Folder(v.r.Context(), v.who.Groups, dir, shownFolder)
	}
	if err != nil {
		v.fail("documenti", err)
		return
	}
	title := path.Base(dir)
	if dir == "" {
		title = a.Title
	}
	up := folderRow{"Torna a " + a.Title, "/"}
	if parent := path.Dir(dir); parent != "." {
		up = folderRow{"Torna a " + path.Base(parent), link("/cartella", "a", a.Name, "p", parent)}
	}
	t := part{Back: up, Folders: o.folders(a, dir, l.Folders), More: l.More}
	for _, h := range l.Documents {
		row := o.row(a, h)
		row.Where = ""
		t.Documents = append(t.Documents, row)
	}
	send(v.w, http.StatusOK, "documents.html", documentsPage{frame: v.frame("documenti", title), Parts: []part{t}})
}

type documentPage struct {
	frame
	Doc    documentRow
	Raw    string
	Size   string
	Inline bool
}

// document says what a document is and from when its copy, and shows it.
func (o *Office) document(v *visit) {
	a, err := v.archive()
	name := v.r.URL.Query().Get("p")
	if err != nil {
		v.fail("documenti", err)
		return
	}
	body, h, size, err := a.Documents.Open(v.r.Context(), v.who.Groups, name)
	if err != nil {
		v.fail("documenti", err)
		return
	}
	_ = body.Close()
	p := documentPage{frame: v.frame("documenti", path.Base(h.Path)), Doc: o.row(a, h), Raw: link("/apri", "a", a.Name, "p", h.Path), Size: amount(size)}
	p.Doc.Where = a.Title
	if d := path.Dir(h.Path); d != "." {
		p.Doc.Where += ", " + d
	}
	_, p.Inline = shown[strings.ToLower(path.Ext(h.Path))]
	send(v.w, http.StatusOK, "document.html", p)
}

// shown are the kinds that a browser shows by itself and that cannot act on this
// page; anything else is only downloaded.
var shown = map[string]string{
	".pdf": "application/pdf",
	".txt": "text/plain; charset=utf-8", ".csv": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8", ".log": "text/plain; charset=utf-8",
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp",
}

// open gives the bytes of a document.
func (o *Office) open(v *visit) {
	a, err := v.archive()
	if err != nil {
		v.fail("documenti", err)
		return
	}
	body, d, _, err := a.Documents.Open(v.r.Context(), v.who.Groups, v.r.URL.Query().Get("p"))
	if err != nil {
		v.fail("documenti", err)
		return
	}
	defer body.Close()
	ext := path.Ext(d.Path)
	kind, inline := shown[strings.ToLower(ext)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	how := "inline"
	name := path.Base(d.Path)
	if !inline || v.r.URL.Query().Has("scarica") {
		how = "attachment"
		name = fmt.Sprintf("%s (copia del %s)%s", strings.TrimSuffix(name, ext), d.Fetched.In(o.cfg.Zone).Format("2006-01-02 15.04"), ext)
	}
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'")
	h.Set("Crinale-Saved", d.Fetched.UTC().Format(http.TimeFormat))
	v.deps.Log.Info("document opened", "person", v.who.ID, "archive", a.Name, "document", d.Path)
	http.ServeContent(v.w, v.r, "", d.Modified, body)
}
