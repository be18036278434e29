package main

import (
	"net/url"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/strict"
)

type carpoolConfig struct {
	At            strict.At      `yaml:"-"`
	Roads         string         `yaml:"roads"`
	EngineURL     string         `yaml:"engine_url"`
	Buses         string         `yaml:"buses"`
	RidesKeptDays int            `yaml:"rides_kept_days"`
	Caps          carpool.Caps   `yaml:"caps"`
	School        carpool.School `yaml:"school"`
	Interop       interopConfig  `yaml:"interop"`
	DeskPhone     string         `yaml:"desk_phone"`
	DeskHours     string         `yaml:"desk_hours"`
	Contact       string         `yaml:"contact"`
	DPO           string         `yaml:"dpo"`
}

type mailConfig struct {
	At           strict.At `yaml:"-"`
	Server       string    `yaml:"server"`
	Security     string    `yaml:"security"`
	User         string    `yaml:"user"`
	PasswordFile string    `yaml:"password_file"`
	From         string    `yaml:"from"`
}

type smsConfig struct {
	At      strict.At         `yaml:"-"`
	URL     string            `yaml:"url"`
	Format  string            `yaml:"format"`
	Fields  map[string]string `yaml:"fields"`
	Header  string            `yaml:"header"`
	KeyFile string            `yaml:"key_file"`
	Router  string            `yaml:"router"`
	Port    string            `yaml:"port"`
	Daily   int               `yaml:"daily"`
	Each    int               `yaml:"daily_each"`

	AnswersKeyFile string        `yaml:"answers_key_file"`
	AnswersFields  answersFields `yaml:"answers_fields"`
}

type answersFields struct {
	At   strict.At `yaml:"-"`
	ID   string    `yaml:"id"`
	From string    `yaml:"from"`
	Text string    `yaml:"text"`
}

type appIOConfig struct {
	At      strict.At `yaml:"-"`
	URL     string    `yaml:"url"`
	KeyFile string    `yaml:"key_file"`
}

// validateCarpool checks what the portal and its messages are told.
func (c *config) validateCarpool(l *strict.List) {
	if err := c.Carpool.Caps.Check(); err != nil {
		l.Add(c.Carpool.At.Problem("caps", "%v", err))
	}
	if err := c.Carpool.School.Check(); err != nil {
		l.Add(c.Carpool.At.Problem("school", "%v", err))
	}
	if d := c.Carpool.RidesKeptDays; d < 1 || d > 365 {
		l.Add(c.Carpool.At.Problem("rides_kept_days", "%d is out of range, write 1 to 365", d))
	}
	if c.Carpool.Roads != "" && c.Carpool.EngineURL != "" {
		l.Add(c.Carpool.At.Problem("engine_url", "roads and engine_url are both given, keep one"))
	}
	c.checkURL(l, c.Carpool.At, "engine_url", c.Carpool.EngineURL, true)
	c.checkURL(l, c.HTTP.At, "public_url", c.HTTP.PublicURL, true)
	c.checkURL(l, c.SMS.At, "url", c.SMS.URL, false)
	c.checkURL(l, c.AppIO.At, "url", c.AppIO.URL, false)
	if c.SMS.URL != "" && c.SMS.Router != "" {
		l.Add(c.SMS.At.Problem("router", "url and router are both given, keep one"))
	}
	if c.SMS.Router != "" && c.SMS.Port == "" {
		l.Add(c.SMS.At.Problem("port", "name the port of the router's modem, such as lte1"))
	}
	for key, v := range map[string]string{"id": c.SMS.AnswersFields.ID, "from": c.SMS.AnswersFields.From, "text": c.SMS.AnswersFields.Text} {
		if v == "" {
			l.Add(c.SMS.AnswersFields.At.Problem(key, "name the field of what the gateway sends"))
		}
	}
	if c.SMS.Daily < 1 || c.SMS.Daily > 100000 {
		l.Add(c.SMS.At.Problem("daily", "%d is out of range, write 1 to 100000", c.SMS.Daily))
	}
	if c.SMS.Each < 1 || c.SMS.Each > 1000 {
		l.Add(c.SMS.At.Problem("daily_each", "%d is out of range, write 1 to 1000", c.SMS.Each))
	}
	if c.AppIO.URL != "" && c.AppIO.KeyFile == "" {
		l.Add(c.AppIO.At.Problem("key_file", "App IO asks for a subscription key: name the file that holds it"))
	}
	if c.Mail.Server == "" {
		return
	}
	host, err := listenHost(c.Mail.Server)
	if err != nil {
		l.Add(c.Mail.At.Problem("server", "%v", err))
	}
	switch c.Mail.Security {
	case "starttls", "tls":
	case "none":
		if err == nil && !loopback(host) {
			l.Add(c.Mail.At.Problem("security", "none would send people's names in clear over the network: write starttls or tls"))
		}
	default:
		l.Add(c.Mail.At.Problem("security", "%q: write starttls, tls or none", c.Mail.Security))
	}
	if !strings.Contains(c.Mail.From, "@") {
		l.Add(c.Mail.At.Problem("from", "%q is no address of a sender", c.Mail.From))
	}
}

// checkURL refuses what is no web address, or one that would carry people's
// data in clear beyond this machine. A public_url may be http in a valley that
// has nothing else; what is plain is so to its visitors.
func (c *config) checkURL(l *strict.List, at strict.At, key, s string, plain bool) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https"):
		l.Add(at.Problem(key, "write an address such as https://example.it, without user and password"))
	case u.Scheme == "http" && !plain && !loopback(u.Hostname()):
		l.Add(at.Problem(key, "it would send telephone numbers in clear: use https"))
	}
}
