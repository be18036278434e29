package main

import (
	_ "embed"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
)

// defaultConfig is the documented default, printed by crinale config.
//
//go:embed config_default.yaml
var defaultConfig string

// config is crinale.yaml. The At of a section knows where it stood, for errors.
type config struct {
	At             strict.At     `yaml:"-"`
	Data           string        `yaml:"data"`
	Network        string        `yaml:"network"`
	Terrain        []string      `yaml:"terrain"`
	TerrainSurface string        `yaml:"terrain_surface"`
	HTTP           httpConfig    `yaml:"http"`
	Change         changeConfig  `yaml:"change"`
	MQTT           mqttConfig    `yaml:"mqtt"`
	Store          storeConfig   `yaml:"store"`
	Copies         copiesConfig  `yaml:"copies"`
	History        historyConfig `yaml:"history"`
	Poll           pollConfig    `yaml:"poll"`
	Radio          radioConfig   `yaml:"radio"`
	Carpool        carpoolConfig `yaml:"carpool"`
	Mail           mailConfig    `yaml:"mail"`
	SMS            smsConfig     `yaml:"sms"`
	AppIO          appIOConfig   `yaml:"app_io"`
}

type httpConfig struct {
	At        strict.At `yaml:"-"`
	Listen    string    `yaml:"listen"`
	Hosts     []string  `yaml:"hosts"`
	PublicURL string    `yaml:"public_url"`
	CertFile  string    `yaml:"cert_file"`
	KeyFile   string    `yaml:"key_file"`
	Forwarded bool      `yaml:"forwarded"`
}

type changeConfig struct {
	At            strict.At `yaml:"-"`
	HoldS         float64   `yaml:"hold_s"`
	DriftEveryMin float64   `yaml:"drift_every_min"`
}

type mqttConfig struct {
	At           strict.At `yaml:"-"`
	Listen       string    `yaml:"listen"`
	Broker       string    `yaml:"broker"`
	User         string    `yaml:"user"`
	PasswordFile string    `yaml:"password_file"`
}

type storeConfig struct {
	At      strict.At `yaml:"-"`
	URL     string    `yaml:"url"`
	URLFile string    `yaml:"url_file"`
}

type historyConfig struct {
	At              strict.At `yaml:"-"`
	RawDays         int       `yaml:"raw_days"`
	MinuteDays      int       `yaml:"minute_days"`
	QuarterDays     int       `yaml:"quarter_days"`
	InfluxURL       string    `yaml:"influx_url"`
	InfluxOrg       string    `yaml:"influx_org"`
	InfluxBucket    string    `yaml:"influx_bucket"`
	InfluxTokenFile string    `yaml:"influx_token_file"`
}

type pollConfig struct {
	At       strict.At `yaml:"-"`
	EveryS   float64   `yaml:"every_s"`
	TimeoutS float64   `yaml:"timeout_s"`
	Workers  int       `yaml:"workers"`
}

type radioConfig struct {
	At              strict.At `yaml:"-"`
	CredentialsFile string    `yaml:"credentials_file"`
	CAFile          string    `yaml:"ca_file"`
	SimFile         string    `yaml:"sim_file"`
}

// loadConfig reads a configuration over the defaults; path "" is the defaults
// alone. Relative paths in the file are relative to its folder.
func loadConfig(path string) (config, error) {
	var c config
	if err := strict.Decode("default configuration", []byte(defaultConfig), &c); err != nil {
		return c, err
	}
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return c, fault.New(fault.NotFound, "configuration: %w", err)
		}
		if err := strict.Decode(path, data, &c); err != nil {
			return c, err
		}
		c.resolve(filepath.Dir(path))
	}
	if err := c.validate(); err != nil {
		return c, err
	}
	return c, c.absolute()
}

// absolute makes the data folder independent of the working directory.
func (c *config) absolute() (err error) {
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// resolve makes relative paths relative to the folder of the file.
func (c *config) resolve(dir string) {
	abs := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for _, p := range []*string{&c.Data, &c.Network, &c.HTTP.CertFile, &c.HTTP.KeyFile, &c.MQTT.PasswordFile, &c.Store.URLFile, &c.Copies.Folder, &c.History.InfluxTokenFile,
		&c.Radio.CredentialsFile, &c.Radio.CAFile, &c.Radio.SimFile,
		&c.Carpool.Roads, &c.Carpool.Buses, &c.Mail.PasswordFile, &c.SMS.KeyFile, &c.SMS.AnswersKeyFile, &c.AppIO.KeyFile} {
		abs(p)
	}
	for i := range c.Terrain {
		abs(&c.Terrain[i])
	}
}

// validate checks meanings; every problem names its line.
func (c *config) validate() error {
	var l strict.List
	within := func(at strict.At, key string, v, lo, hi float64) {
		if !(v >= lo && v <= hi) {
			l.Add(at.Problem(key, "%g is out of range, write %g to %g", v, lo, hi))
		}
	}
	if c.Data == "" {
		l.Add(c.At.Problem("data", "name a folder"))
	}
	within(c.Poll.At, "every_s", c.Poll.EveryS, 1, 3600)
	within(c.Poll.At, "timeout_s", c.Poll.TimeoutS, 0.5, 120)
	within(c.Poll.At, "workers", float64(c.Poll.Workers), 1, 1024)
	within(c.History.At, "raw_days", float64(c.History.RawDays), 1, 3650)
	within(c.History.At, "minute_days", float64(c.History.MinuteDays), float64(c.History.RawDays), 36500)
	within(c.History.At, "quarter_days", float64(c.History.QuarterDays), float64(c.History.MinuteDays), 36500)
	within(c.Copies.At, "keep_days", float64(c.Copies.KeepDays), 1, float64(c.Carpool.RidesKeptDays))
	switch c.TerrainSurface {
	case "bare-earth", "surface", "unknown":
	default:
		l.Add(c.At.Problem("terrain_surface", "%q: write bare-earth, surface or unknown", c.TerrainSurface))
	}
	if c.Store.URL != "" && c.Store.URLFile != "" {
		l.Add(c.Store.At.Problem("url_file", "url and url_file are both given, keep one"))
	}
	if u, err := url.Parse(c.Store.URL); c.Store.URL != "" && err == nil && u.User != nil {
		if _, ok := u.User.Password(); ok {
			l.Add(c.Store.At.Problem("url", "it holds a password: move the URL into a file and name that in url_file"))
		}
	}
	if host, err := listenHost(c.HTTP.Listen); err != nil {
		l.Add(c.HTTP.At.Problem("listen", "%v", err))
	} else if !loopback(host) && c.HTTP.CertFile == "" {
		l.Add(c.HTTP.At.Problem("listen", "%q can be reached by others, and passwords would travel in clear: name cert_file and key_file, or listen on 127.0.0.1 behind a proxy that speaks https", c.HTTP.Listen))
	}
	if (c.HTTP.CertFile == "") != (c.HTTP.KeyFile == "") {
		l.Add(c.HTTP.At.Problem("cert_file", "a certificate needs its key: name both cert_file and key_file, or neither"))
	}
	within(c.Change.At, "hold_s", c.Change.HoldS, 10, 3600)
	within(c.Change.At, "drift_every_min", c.Change.DriftEveryMin, 1, 1440)
	if _, err := listenHost(c.MQTT.Listen); err != nil {
		l.Add(c.MQTT.At.Problem("listen", "%v", err))
	}
	c.validateCarpool(&l)
	return l.Err()
}

func listenHost(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("%q is no address, write HOST:PORT", addr)
	}
	return host, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c *config) every() time.Duration { return time.Duration(c.Poll.EveryS * float64(time.Second)) }
func (c *config) timeout() time.Duration {
	return time.Duration(c.Poll.TimeoutS * float64(time.Second))
}

// secret reads a file that holds one secret; "" gives "". The file must not be
// open to others.
func secret(key, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", fault.New(fault.NotFound, "%s: %w", key, err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fault.New(fault.Invalid, "%s: %s can be read by others: chmod 600 %s", key, path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fault.New(fault.Denied, "%s: %w", key, err)
	}
	return strings.TrimSpace(string(b)), nil
}

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", DefaultText: "built in, see crinale config", Usage: "configuration `FILE`"}
}

func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "print the documented default configuration",
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprint(c.App.Writer, defaultConfig)
			return err
		},
	}
}
