package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Open is a file of open data, as anybody may have it: made when it is asked
// for, and kept for a while, so that no number of requests costs more than
// one.
type Open struct {
	Name  string // "gtfs.zip"
	Type  string // "application/zip"
	Every time.Duration
	Make  func(ctx context.Context, w io.Writer) error
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default

	mu   sync.Mutex
	body []byte
	tag  string
	made time.Time
}

// maxOpen bounds a file of open data.
const maxOpen = 64 << 20

// ServeHTTP answers with the file.
func (o *Open) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tag, made, err := o.file(r.Context())
	if err != nil {
		if r.Context().Err() == nil {
			o.log().Error("open data: make a file", "file", o.Name, "err", err)
		}
		w.Header().Set("Retry-After", "60")
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", o.Type)
	h.Set("Content-Disposition", `attachment; filename="`+o.Name+`"`)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("ETag", tag)
	http.ServeContent(w, r, o.Name, made, bytes.NewReader(body))
}

func (o *Open) log() *slog.Logger {
	if o.Log != nil {
		return o.Log
	}
	return slog.Default()
}

// file gives what was made lately, or makes it anew; who comes meanwhile
// waits.
func (o *Open) file(ctx context.Context) ([]byte, string, time.Time, error) {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tag != "" && now().Sub(o.made) < o.Every {
		return o.body, o.tag, o.made, nil
	}
	var b bytes.Buffer
	if err := o.Make(ctx, &bounds{w: &b, left: maxOpen}); err != nil {
		return nil, "", time.Time{}, err
	}
	sum := sha256.Sum256(b.Bytes())
	o.body, o.tag, o.made = b.Bytes(), `"`+hex.EncodeToString(sum[:12])+`"`, now()
	return o.body, o.tag, o.made, nil
}

// bounds ends a file that grows beyond reason.
type bounds struct {
	w    io.Writer
	left int
}

func (b *bounds) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return b.w.Write(p)
}
