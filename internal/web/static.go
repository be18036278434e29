package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// embedded holds our own stylesheets, scripts, templates and words, and under
// assets/dist what `make assets` put there.
//
//go:embed all:assets all:templates words
var embedded embed.FS

// static serves files that never change while the program runs: compressed
// once, with an ETag each, and for ever when asked for with their fingerprint.
type static struct {
	dist  bool
	files map[string]*staticFile // by path under /static/
}

type staticFile struct {
	body, zipped []byte
	contentType  string
	print        string // fingerprint of the bytes
}

var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".woff2": "font/woff2", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
}

func newStatic() (*static, error) {
	s := &static{files: map[string]*staticFile{}}
	own, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, err
	}
	if err := s.add("", own); err != nil {
		return nil, err
	}
	_, css := s.files["dist/bootstrap-italia.css"]
	_, leaflet := s.files["dist/leaflet.js"]
	s.dist = css && leaflet
	return s, nil
}

// add takes in every file of fsys under prefix.
func (s *static) add(prefix string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(p), ".") {
			return err
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		f := &staticFile{body: b, contentType: types[path.Ext(p)]}
		if f.contentType == "" {
			f.contentType = mime.TypeByExtension(path.Ext(p))
		}
		sum := sha256.Sum256(b)
		f.print = hex.EncodeToString(sum[:8])
		if zippable(f.contentType) {
			var z bytes.Buffer
			gz, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
			if err != nil {
				return err
			}
			if _, err := gz.Write(b); err != nil {
				return err
			}
			if err := gz.Close(); err != nil {
				return err
			}
			if z.Len() < len(b) {
				f.zipped = z.Bytes()
			}
		}
		s.files[path.Join(prefix, p)] = f
		return nil
	})
}

// Static serves the files of an area under /static/NAME/; templates name
// them with {{asset "NAME/FILE"}}.
func (s *Shell) Static(name string, fsys fs.FS) error {
	return s.static.add(name, fsys)
}

// url is the address of a file with its fingerprint; "" when there is none.
func (s *static) url(name string) string {
	f, ok := s.files[name]
	if !ok {
		return ""
	}
	return "/static/" + name + "?v=" + f.print
}

func (s *static) serve(w http.ResponseWriter, r *http.Request) error {
	f, ok := s.files[strings.TrimPrefix(r.URL.Path, "/static/")]
	if !ok {
		return fault.New(fault.NotFound, "no static file %s", r.URL.Path)
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	if r.URL.Query().Get("v") == f.print {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, tag := f.body, `"`+f.print+`"`
	if f.zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, tag = f.zipped, `"`+f.print+`-gz"`
		}
	}
	Bytes(w, r, body, tag)
	return nil
}

// Bytes answers with a body and its entity tag, 304 when the browser has it.
// Content-Type must be set.
func Bytes(w http.ResponseWriter, r *http.Request, body []byte, tag string) {
	w.Header().Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the peer may have gone
}

// Tag is the entity tag of some bytes.
func Tag(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
