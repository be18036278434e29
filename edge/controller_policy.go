package edge

import (
	"net"
	"net/url"
	"strings"

	"github.com/crinale/crinale/internal/strict"
)

// ControllerPolicy is where the edge hears the controller: how its link is, and
// what it is to forget.
type ControllerPolicy struct {
	At           strict.At `yaml:"-"`
	Broker       string    `yaml:"broker,required"`        // tls://host:8883; tcp://127.0.0.1:1883 on this machine alone
	User         string    `yaml:"user,required"`          // edge-NAME, as it was enrolled
	PasswordFile string    `yaml:"password_file,required"` // readable by the owner alone
	CAFile       string    `yaml:"ca_file"`                // who vouches for the broker; empty: whom the machine trusts
	WaitS        float64   `yaml:"wait_s"`                 // after a start, until the edge goes on without having heard the orders
}

// edgeUser is what the names of edges begin with at the broker.
const edgeUser = "edge-"

func (c *ControllerPolicy) check(l *strict.List) {
	u, err := url.Parse(c.Broker)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "tls" && u.Scheme != "tcp":
		l.Add(c.At.Problem("broker", "write tls://HOST:8883, or tcp://127.0.0.1:1883 for a broker on this machine; user and password stand apart"))
	case u.Scheme == "tcp" && !loopback(u.Hostname()):
		l.Add(c.At.Problem("broker", "tcp://%s: the password would travel in clear: write tls://", u.Host))
	case c.CAFile != "" && u.Scheme == "tcp":
		l.Add(c.At.Problem("ca_file", "it counts with tls:// alone"))
	}
	if name, ok := strings.CutPrefix(c.User, edgeUser); !ok || !edgeName.MatchString(name) {
		l.Add(c.At.Problem("user", "%q: write it as crinale edge enrol add printed it, such as edge-bergolo", c.User))
	}
	if strings.TrimSpace(c.PasswordFile) == "" {
		l.Add(c.At.Problem("password_file", "name the file with the password that crinale edge enrol add gave"))
	}
	if c.WaitS == 0 {
		c.WaitS = 2
	}
	if !(c.WaitS > 0) || c.WaitS > 60 {
		l.Add(c.At.Problem("wait_s", "%v: write seconds above 0, up to 60", c.WaitS))
	}
}

// Enrolled is the name of the edge at the controller.
func (c *ControllerPolicy) Enrolled() string { return strings.TrimPrefix(c.User, edgeUser) }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
