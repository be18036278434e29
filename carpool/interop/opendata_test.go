package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"
)

// A file is made once for all who come within a while; an error is not kept.
func TestOpen(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	made, trouble := 0, errors.New("the store does not answer")
	o := &Open{Name: "gtfs.zip", Type: "application/zip", Every: 10 * time.Minute, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Make: func(_ context.Context, w io.Writer) error {
			made++
			if trouble != nil {
				return trouble
			}
			_, err := fmt.Fprintf(w, "file %d", made)
			return err
		}}
	get := func(tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/passaggi/gtfs.zip", nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		rec := httptest.NewRecorder()
		o.ServeHTTP(rec, r)
		return rec
	}
	if got := get(""); got.Code != 503 || got.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	trouble = nil
	first := get("")
	if first.Code != 200 || first.Body.String() != "file 2" || first.Header().Get("Content-Type") != "application/zip" {
		t.Errorf("%d %s", first.Code, first.Body)
	}
	if again := get(first.Header().Get("ETag")); again.Code != 304 || made != 2 {
		t.Errorf("%d, made %d times", again.Code, made)
	}
	now = now.Add(11 * time.Minute)
	if late := get(first.Header().Get("ETag")); late.Code != 200 || late.Body.String() != "file 3" {
		t.Errorf("%d %s", late.Code, late.Body)
	}
	o.Make = func(_ context.Context, w io.Writer) error { _, err := w.Write(make([]byte, maxOpen+1)); return err }
	now = now.Add(11 * time.Minute)
	if big := get(""); big.Code != 503 {
		t.Errorf("a file without end: %d", big.Code)
	}
}
