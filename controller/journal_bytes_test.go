package controller

import (
	"encoding/json"
	"testing"
)

// Any bytes that a device may hold come out of the journal as they went in.
func FuzzFreeze(f *testing.F) {
	for _, s := range []string{"", "ridge", "citt\xe0", "\x00", "\x00YQ==", "perch\u00e9", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data, err := json.Marshal(freeze(s))
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if got := thaw(back); got != s {
			t.Errorf("%q comes out as %q", s, got)
		}
	})
}
