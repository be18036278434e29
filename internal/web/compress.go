package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// compressible are the content types worth a gzip. An event stream is not: it
// must leave at once.
var compressible = map[string]bool{
	"text/html": true, "text/css": true, "text/plain": true, "text/javascript": true,
	"application/json": true, "application/problem+json": true, "application/geo+json": true, "image/svg+xml": true,
}

func zippable(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return compressible[strings.TrimSpace(t)]
}

// acceptsGzip reads Accept-Encoding: gzip or * with a weight above 0.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, param, _ := strings.Cut(part, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name != "gzip" && name != "*" {
			continue
		}
		if q, ok := strings.CutPrefix(strings.TrimSpace(param), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err != nil || v <= 0 {
				continue
			}
		}
		return true
	}
	return false
}

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// compress gzips text answers that are not encoded yet.
func compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z := &zipper{ResponseWriter: w, accepts: acceptsGzip(r) && r.Method != http.MethodHead}
		next.ServeHTTP(z, r)
		z.close() // not after a panic: a cut answer must look cut
	})
}

type zipper struct {
	http.ResponseWriter
	accepts bool
	begun   bool
	gz      *gzip.Writer
}

func (z *zipper) WriteHeader(status int) {
	if z.begun || status < 200 {
		z.ResponseWriter.WriteHeader(status)
		return
	}
	z.begun = true
	h := z.Header()
	exact := strings.HasPrefix(h.Get("ETag"), `"`) // a strong tag names these very bytes
	if zippable(h.Get("Content-Type")) && h.Get("Content-Encoding") == "" && !exact {
		h.Add("Vary", "Accept-Encoding")
		if z.accepts && status != http.StatusNoContent && status != http.StatusNotModified && status != http.StatusPartialContent {
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			z.gz = zippers.Get().(*gzip.Writer)
			z.gz.Reset(z.ResponseWriter)
		}
	}
	z.ResponseWriter.WriteHeader(status)
}

func (z *zipper) Write(b []byte) (int, error) {
	if !z.begun {
		if z.Header().Get("Content-Type") == "" {
			z.Header().Set("Content-Type", http.DetectContentType(b))
		}
		z.WriteHeader(http.StatusOK)
	}
	if z.gz != nil {
		return z.gz.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// FlushError pushes what is compressed so far to the browser.
func (z *zipper) FlushError() error {
	if z.gz != nil {
		if err := z.gz.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(z.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController set deadlines.
func (z *zipper) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipper) close() {
	if z.gz == nil {
		return
	}
	_ = z.gz.Close() // the peer has gone; there is nobody to tell
	z.gz.Reset(io.Discard)
	zippers.Put(z.gz)
	z.gz = nil
}
