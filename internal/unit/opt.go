package unit

import (
	"bytes"
	"encoding/json"
	"math"
)

// Opt is a quantity that may be unknown. The zero value is unknown; JSON is
// null, never 0. A NaN or infinite value counts as unknown.
type Opt[T ~float64] struct {
	v  T
	ok bool
}

// Some is a known quantity. A NaN or an infinity gives the unknown one.
func Some[T ~float64](v T) Opt[T] {
	if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
		return Opt[T]{}
	}
	return Opt[T]{v, true}
}

// Get is the value and whether it is known.
func (o Opt[T]) Get() (T, bool) { return o.v, o.ok }

// Known says whether there is a value.
func (o Opt[T]) Known() bool { return o.ok }

// Or is the value, or d when unknown.
func (o Opt[T]) Or(d T) T {
	if o.ok {
		return o.v
	}
	return d
}

// Ptr is nil when unknown: for SQL columns and JSON structs.
func (o Opt[T]) Ptr() *float64 {
	if !o.ok {
		return nil
	}
	f := float64(o.v)
	return &f
}

// FromPtr is unknown for nil.
func FromPtr[T ~float64](p *float64) Opt[T] {
	if p == nil {
		return Opt[T]{}
	}
	return Some(T(*p))
}

// MarshalJSON writes null when unknown.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.ok {
		return []byte("null"), nil
	}
	return json.Marshal(float64(o.v))
}

// UnmarshalJSON reads null as unknown.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		*o = Opt[T]{}
		return nil
	}
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*o = Some(T(f))
	return nil
}
