package edge

import (
	"net/http"
	"testing"
	"time"
)

var writeRules = WriteRules{
	{Methods: []string{"PUT"}, Path: "/reports/*", Class: WriteCreate},
	{Methods: []string{"POST"}, Path: "/offers", Class: WriteCreate},
	{Methods: []string{"POST"}, Path: "/drafts", Class: WriteCreate, AddKey: true, Keep: time.Hour},
	{Methods: []string{"POST"}, Path: "/meters/*", Class: WriteAppend},
	{Methods: []string{"PUT", "PATCH"}, Path: "/files/**", Class: WriteUpdate},
	{Methods: []string{"DELETE"}, Path: "/files/**", Class: WriteDelete},
	{Path: "/protocol/**", Class: WriteNumber},
	{Path: "/pay/**", Class: WriteRefuse},
}

// TestDecideWrite: every class, with and without what lets it wait.
func TestDecideWrite(t *testing.T) {
	for _, tt := range []struct {
		method, target, header, seen string
		act                          WriteAct
		why                          WriteWhy
		set                          string
		resource                     string
	}{
		{"PUT", "/reports/7f3a", "If-None-Match: *", "", QueueWrite, "", "", "/reports/7f3a"},
		{"PUT", "/reports/7f3a", "", "", QueueWrite, "", "If-None-Match: *", "/reports/7f3a"},
		{"PUT", "/reports/7f3a", `If-None-Match: "a"`, "", RefuseWrite, WriteNoName, "", ""},
		{"PUT", "/reports/a/b", "", "", RefuseWrite, WriteNoRule, "", ""},
		{"POST", "/offers", "Idempotency-Key: k1", "", QueueWrite, "", "", "/offers#k1"},
		{"POST", "/offers", "", "", RefuseWrite, WriteNoName, "", ""},
		{"POST", "/drafts", "", "", QueueWrite, "", `Idempotency-Key: "new"`, "/drafts#new"},
		{"POST", "/meters/12", "Crinale-Source: m-12", "", QueueWrite, "", `Idempotency-Key: "new"`, "/meters/12#m-12"},
		{"POST", "/meters/12", "", "", RefuseWrite, WriteNoSource, "", ""},
		{"PUT", "/files/a/b.odt", `If-Match: "v1"`, "", QueueWrite, "", "", "/files/a/b.odt"},
		{"PUT", "/files/a/b.odt", "", `"v2"`, QueueWrite, "", `If-Match: "v2"`, "/files/a/b.odt"},
		{"PUT", "/files/a/b.odt", "", "", RefuseWrite, WriteNoVersion, "", ""},
		{"PUT", "/files/a/b.odt", "", `W/"v2"`, RefuseWrite, WriteNoVersion, "", ""},
		{"PUT", "/files/a/b.odt", "If-Match: *", `"v2"`, RefuseWrite, WriteNoVersion, "", ""},
		{"PUT", "/files/a/b.odt", `If-Match: "a", "b"`, `"v2"`, RefuseWrite, WriteNoVersion, "", ""},
		{"PUT", "/files/a/../../pay/x", `If-Match: "v1"`, "", RefuseWrite, WriteNoRule, "", ""},
		{"DELETE", "/files/a/b.odt", `If-Match: "v1"`, "", QueueWrite, "", "", "/files/a/b.odt"},
		{"DELETE", "/files/a/b.odt", "", "", RefuseWrite, WriteNoVersion, "", ""},
		{"POST", "/protocol/new", "", "", RegisterWrite, WriteRegister, "", ""},
		{"POST", "/pay/now", "Idempotency-Key: k1", "", RefuseWrite, WriteNever, "", ""},
		{"POST", "/login", "", "", RefuseWrite, WriteNoRule, "", ""},
		{"POST", "/", "Idempotency-Key: k1", "", RefuseWrite, WriteNoRule, "", ""},
	} {
		h := http.Header{}
		if tt.header != "" {
			h = header(tt.header)
		}
		d := writeRules.DecideWrite(tt.method, tt.target, h, tt.seen, "new")
		set := ""
		for k, v := range d.Set {
			set += k + ": " + v[0]
		}
		if d.Act != tt.act || d.Why != tt.why || set != tt.set || d.Resource != tt.resource {
			t.Errorf("%s %s %s: %+v", tt.method, tt.target, tt.header, d)
		}
		if d.Act == QueueWrite && d.Keep <= 0 {
			t.Errorf("%s %s: kept for %v", tt.method, tt.target, d.Keep)
		}
	}
}

// FuzzDecideWrite: whatever is asked, what is queued can be done twice without
// harm, and never goes where a rule forbids it.
func FuzzDecideWrite(f *testing.F) {
	f.Add("PUT", "/files/a", `"v"`, "", "k")
	f.Add("POST", "/drafts", "", "", "")
	f.Fuzz(func(t *testing.T, method, target, ifMatch, seen, idem string) {
		h := http.Header{}
		if ifMatch != "" {
			h["If-Match"] = []string{ifMatch}
		}
		if idem != "" {
			h["Idempotency-Key"] = []string{idem}
		}
		d := writeRules.DecideWrite(method, target, h, seen, "new")
		if d.Act != QueueWrite {
			if d.Why == WriteTaken {
				t.Fatalf("%+v without a reason", d)
			}
			return
		}
		for k, v := range d.Set {
			h[k] = v
		}
		if len(h["If-Match"])+len(h["If-None-Match"])+len(h["Idempotency-Key"]) == 0 {
			t.Fatalf("%s %s can be done twice: %+v", method, target, d)
		}
	})
}
