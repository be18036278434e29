package edge

import (
	"strings"
	"testing"
)

func TestControllerPolicy(t *testing.T) {
	parse := func(line string) (Policy, error) {
		return ParsePolicy("edge.yaml", []byte("name: bergolo\ncomune: \"004021\"\nservices:\n  - {host: a.example, origin: https://b.example, agreed: x}\ncontroller: "+line+"\n"))
	}
	p, err := parse("{broker: 'tls://crinale.example:8883', user: edge-bergolo, password_file: /run/keys/controller, ca_file: ca.pem}")
	if err != nil || p.Controller.WaitS != 2 || p.Controller.Enrolled() != "bergolo" {
		t.Errorf("%+v, %v", p.Controller, err)
	}
	if _, err := parse("{broker: 'tcp://127.0.0.1:1883', user: edge-b, password_file: p, wait_s: 0.5}"); err != nil {
		t.Error(err)
	}
	for line, want := range map[string]string{
		"{user: edge-b, password_file: p}":                                                       "broker",
		"{broker: 'tcp://crinale.example:1883', user: edge-b, password_file: p}":                 "travel in clear",
		"{broker: 'ws://127.0.0.1:1883', user: edge-b, password_file: p}":                        "broker",
		"{broker: 'tls://edge-b:hush@crinale.example:8883', user: edge-b, password_file: p}":     "stand apart",
		"{broker: 'tls://crinale.example:8883', user: bergolo, password_file: p}":                "user",
		"{broker: 'tls://crinale.example:8883', user: edge-, password_file: p}":                  "user",
		"{broker: 'tls://crinale.example:8883', user: edge-b}":                                   "password_file",
		"{broker: 'tls://crinale.example:8883', user: edge-b, password_file: p, password: hush}": "password",
		"{broker: 'tls://crinale.example:8883', user: edge-b, password_file: p, wait_s: 61}":     "wait_s",
		"{broker: 'tcp://localhost:1883', user: edge-b, password_file: p, ca_file: ca.pem}":      "ca_file",
		"{broker: 'tls://crinale.example:8883', user: edge-b, password_file: p, wait_s: -1}":     "wait_s",
		"{broker: 'tls://crinale.example:8883/x', user: edge-b, password_file: p}":               "broker",
	} {
		if _, err := parse(line); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "edge.yaml:") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
