package edge

import (
	"strings"
	"testing"
	"time"
)

const goodPolicy = `
name: bergolo
comune: "004022"
services:
  - host: docs.bergolo.example
    origin: https://docs.cloud.example
    agreed: the operator of the document service, 1 March 2026
    offline: {rule: until, days: 7}
    quota_mb: 4000
    encrypt: true
    writes:
      - {name: segnalazioni, methods: [PUT], path: "/segnalazioni/{id}", class: create, anonymous: true}
      - {name: pagamenti, methods: [POST], path: "/paga/{resto...}", class: refuse, why: money}
    warm:
      - {urls: [/albo/, /moduli], window: "22:00-06:00", budget_mb: 500}
  - host: updates.bergolo.example
    origin: http://updates.example:8080
    agreed: the union, 2 March 2026
    comune: "004008"
    priority: background
    guess_lifetime_h: 0
probe: {addresses: ["192.0.2.1:443"], every_s: 10}
second_way: {source_address: 192.0.2.77, cap_gb_month: 20, euro_per_gb: 2.5, first: [docs.bergolo.example]}
`

func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy("edge.yaml", []byte(goodPolicy))
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Services[0], p.Services[1]
	if a.Comune != "004022" || b.Comune != "004008" || a.Priority != PriorityNormal || b.Priority != PriorityBackground || p.Store.RAMMB != 24 {
		t.Errorf("%+v", p)
	}
	if r := a.Rules(); r.Offline != (Offline{Rule: OfflineUntil, Until: 7 * 24 * time.Hour}) || r.Heuristic != 24*time.Hour || r.Profile != Safe {
		t.Errorf("%+v", r)
	}
	if r := b.Rules(); r.Heuristic != 0 || r.Offline.Rule != OfflineIfError {
		t.Errorf("%+v", r)
	}
	if len(a.Writes) != 2 || WriteRules(a.Writes).Find("PUT", "/segnalazioni/x") == nil || a.Writes[1].Why != ReasonMoney {
		t.Errorf("%+v", a.Writes)
	}
	if u, err := b.OriginURL(); err != nil || u.String() != "http://updates.example:8080" {
		t.Errorf("%v %v", u, err)
	}
}

// TestPolicyFaults: each fault names its line and what to write.
func TestPolicyFaults(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"name: bergolo", "name: Bergolo Alta", "edge.yaml:2: name: "},
		{`"004022"`, `"22"`, "six digits of its ISTAT code"},
		{"host: docs.bergolo.example", `host: "*.example"`, "an edge answers for no others"},
		{"origin: https://docs.cloud.example", "origin: https://docs.bergolo.example", "it would ask itself"},
		{"origin: https://docs.cloud.example", "origin: https://a:b@docs.cloud.example", "https://host"},
		{"origin: https://docs.cloud.example", "origin: ftp://docs.cloud.example", "https://host"},
		{"agreed: the union, 2 March 2026", `agreed: " "`, "who agreed"},
		{"agreed: the union, 2 March 2026\n", "\n", "agreed"},
		{"host: updates.bergolo.example", "host: docs.bergolo.example", "is there twice"},
		{"rule: until, days: 7", "rule: until", "for how many days"},
		{"rule: until, days: 7", "rule: always", "never, stale-if-error or until"},
		{"rule: until, days: 7", "rule: never, days: 7", "with rule: until alone"},
		{"rule: until, days: 7", "rule: never, even_must_revalidate: true", "with rule: until alone"},
		{"quota_mb: 4000", "quota_mb: -1", "0 for none"},
		{"quota_mb: 4000", "cert_file: a.pem", "cert_file and key_file"},
		{"priority: background", "priority: last", "first, normal or background"},
		{"guess_lifetime_h: 0", "guess_lifetime_h: -2", "0 to guess none"},
		{"urls: [/albo/, /moduli]", "urls: [https://elsewhere.example/]", "a path of the service"},
		{"urls: [/albo/, /moduli]", "budget_mb: 2", "budget_mb"},
		{`window: "22:00-06:00"`, `window: "22-6"`, "22:00-06:00"},
		{"192.0.2.1:443", "192.0.2.1", "host:port"},
		{"every_s: 10", "every_s: 0", "above 0"},
		{"source_address: 192.0.2.77", "source_address: wwan0", "on the modem's side"},
		{"first: [docs.bergolo.example]", "first: [mail.example]", "no host of a service"},
		{"cap_gb_month: 20", "cap_gb_month: 0", "above 0"},
		{"probe:", "prob:", "prob"},
		{"class: create", "class: creat", "is no class"},
		{"name: pagamenti", "name: segnalazioni", "is there twice"},
	} {
		bad := strings.Replace(goodPolicy, tt.from, tt.to, 1)
		if bad == goodPolicy {
			t.Fatalf("%q is not there", tt.from)
		}
		_, err := ParsePolicy("edge.yaml", []byte(bad))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "edge.yaml:") {
			t.Errorf("%q: %v, want %q", tt.to, err, tt.want)
		}
	}
	if _, err := ParsePolicy("edge.yaml", nil); err == nil {
		t.Error("nothing is a policy")
	}
}

// FuzzParsePolicy: any bytes are a policy whose services can be used, or are
// refused with a line.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(goodPolicy))
	f.Add([]byte("services: [{host: a, origin: 'http://[::1]', agreed: x}]\nname: a\ncomune: '123456'"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy("edge.yaml", data)
		if err != nil {
			if !strings.Contains(err.Error(), "edge.yaml") {
				t.Fatalf("no file: %v", err)
			}
			return
		}
		for _, s := range p.Services {
			u, err := s.OriginURL()
			if err != nil || u.Host == "" || s.Host != strings.ToLower(s.Host) || s.Rules().Profile != Safe {
				t.Fatalf("%+v %v", s, err)
			}
		}
	})
}
