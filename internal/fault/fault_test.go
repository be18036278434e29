package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKindSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("apply: %w", New(Unreachable, "dial %s: %w", "mombarcaro", io.EOF))
	if Of(err) != Unreachable || !errors.Is(err, io.EOF) || err.Error() != "apply: dial mombarcaro: EOF" {
		t.Errorf("got %v of kind %v", err, Of(err))
	}
	if Of(io.EOF) != Internal || Of(nil) != Internal || As(Invalid, nil) != nil {
		t.Error("a plain error has a kind, or nil became an error")
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for k := Internal; k <= Unconfirmed; k++ {
		if Named(k.String()) != k {
			t.Errorf("%v does not come back from its name", k)
		}
	}
	if Named("nonsense") != Internal || Kind(200).String() != "internal" {
		t.Error("an unknown kind is not internal")
	}
}
