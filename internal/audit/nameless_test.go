package audit

import (
	"testing"
	"time"
)

// TestNoAddressOfAResident: the log keeps from where staff came, and of residents
// nothing.
func TestNoAddressOfAResident(t *testing.T) {
	const resident = "r-0123456789abcdef"
	for _, tt := range []struct {
		who, object, detail, want string
	}{
		{"technician", "link", "x", "203.0.113.7"},
		{"stranger", "technician", "", "203.0.113.7"},
		{resident, "", "", ""},
		{"stranger", resident, "", ""},
		{"stranger", "code", resident, ""},
		{"r-short", "r-0123456789abcdef0", "", "203.0.113.7"},
	} {
		l := Entry{Action: "login.ok", Object: tt.object, Detail: map[string]string{"of": tt.detail}}.line(Actor{Who: tt.who, From: "203.0.113.7"}, time.Unix(0, 0), Line{})
		if l.From != tt.want {
			t.Errorf("%+v: from %q", tt, l.From)
		}
	}
}
