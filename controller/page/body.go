package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/crinale/crinale/internal/fault"
)

// readJSON takes the one JSON object of a request's body. A key that is not
// known is refused: a misspelt one would be as if it had not been sent.
func readJSON(r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fault.New(fault.Invalid, "the body is sent as %q: send JSON, with Content-Type: application/json", r.Header.Get("Content-Type"))
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the body is empty: send a JSON object, {} at least")
	} else if err != nil {
		return fault.New(fault.Invalid, "read the body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the body has more than one JSON value: send one object")
	}
	return nil
}

// made answers with a value that the request brought about. Caches keep none
// of it: it may hold a password.
func made(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the peer may have gone
	return nil
}
