package edge

import (
	"strings"
	"testing"
)

func TestACMEPolicy(t *testing.T) {
	parse := func(line string) (Policy, error) {
		return ParsePolicy("edge.yaml", []byte("name: bergolo\ncomune: \"004021\"\nservices:\n  - {host: a.example, origin: https://b.example, agreed: x}\nacme: "+line+"\n"))
	}
	p, err := parse("{agree: true, dns_hook: [/etc/crinale/dns, zone], email: rete@unione.example}")
	if err != nil || p.ACME.Directory != letsEncrypt || p.ACME.SettleS != 30 || len(p.ACME.Hook) != 2 {
		t.Errorf("%+v, %v", p.ACME, err)
	}
	for line, want := range map[string]string{
		"{dns_hook: [/etc/dns]}":               "agree",
		"{agree: false, dns_hook: [/etc/dns]}": "agree: true",
		"{agree: true}":                        "dns_hook",
		"{agree: true, dns_hook: [dns]}":       "whole path",
		"{agree: true, dns_hook: [/etc/dns], directory: 'http://ca.example'}": "directory",
		"{agree: true, dns_hook: [/etc/dns], email: 'a@b@c'}":                 "email",
		"{agree: true, dns_hook: [/etc/dns], settle_s: -1}":                   "settle_s",
	} {
		if _, err := parse(line); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "edge.yaml:") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
