package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/crinale/crinale/internal/fault"
)

// errEmpty is a body without a value.
var errEmpty = errors.New("it is empty: send a JSON object, {} at least")

// Body reads a request's JSON object into v, as NeededBody does; an empty body
// leaves v as it is.
func Body(r *http.Request, v any) error {
	if r.Body == nil || r.ContentLength == 0 {
		return nil
	}
	if err := NeededBody(r, v); !errors.Is(err, errEmpty) {
		return err
	}
	return nil
}

// NeededBody reads a request's JSON object into v. Keys that v does not have (a
// misspelt one would be as if it had not been sent), a second value, other
// content types and an empty body are refused.
func NeededBody(r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fault.New(fault.Invalid, "read the body: want Content-Type: application/json, not %q", r.Header.Get("Content-Type"))
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	switch {
	case errors.Is(err, io.EOF):
		err = errEmpty
	case err == nil:
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("more than one JSON value follows: send one object")
	}
	return fault.New(fault.Invalid, "read the body: %w", err)
}

// form reads a posted form; fields that known does not name are refused, and
// so is one given twice that is not known as "NAME…".
func form(r *http.Request, known ...string) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return nil, fault.New(fault.Invalid, "form: want Content-Type: application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		if tooBig(err) {
			return nil, err
		}
		return nil, fault.New(fault.Invalid, "form: %w", err)
	}
	if err := checkValues(r.PostForm, "field", known); err != nil {
		return nil, err
	}
	return r.PostForm, nil
}
