package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/sim"
)

// simFile is sim.json as the simulator writes it.
type simFile struct {
	Devices []sim.Endpoint `json:"devices"`
	Control string         `json:"control"`
}

func readSimFile(path string) (simFile, error) {
	var f simFile
	b, err := os.ReadFile(path)
	if err != nil {
		return f, fault.New(fault.NotFound, "simulated fleet: %w: start it with crinale radio sim --state DIR", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fault.New(fault.Invalid, "simulated fleet: %s: %w", path, err)
	}
	return f, nil
}

// simBook finds devices among the endpoints of a simulated fleet.
func simBook(devices func() []sim.Endpoint) radio.Book {
	return func(_ context.Context, d network.DeviceID) (radio.Target, error) {
		for _, e := range devices() {
			if e.ID == d {
				return radio.Target{Device: d, Address: e.Address, User: e.User, Password: e.Password}, nil
			}
		}
		return radio.Target{}, fault.New(fault.NotFound, "%s is not in the simulated fleet", d)
	}
}

// account is one API account of devices.
type account struct {
	User     string `yaml:"user,required"`
	Password string `yaml:"password,required"`
	Pin      string `yaml:"pin"`
}

// credentials is the file of the devices' API accounts.
type credentials struct {
	Default account            `yaml:"default"`
	Devices map[string]account `yaml:"devices"`
}

func loadCredentials(path string, n *network.Network) (credentials, error) {
	var c credentials
	text, err := secret("radio.credentials_file", path)
	if err != nil || path == "" {
		return c, err
	}
	if err := strict.Decode(path, []byte(text), &c); err != nil {
		return c, err
	}
	for id := range c.Devices {
		if _, ok := n.Device(network.DeviceID(id)); !ok {
			return c, fault.New(fault.Invalid, "%s: devices.%s: the network files have no such device: mend the name or remove the account", path, id)
		}
	}
	return c, nil
}

// cover says which devices have an address but nobody to ask as.
func (c credentials) cover(n *network.Network) error {
	if c.Default.User != "" {
		return nil
	}
	var without []string
	for _, d := range n.Devices {
		if _, ok := c.Devices[string(d.ID)]; d.Address != "" && !ok {
			without = append(without, string(d.ID))
		}
	}
	if len(without) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "no account for %s (devices with an address but no account: %d): add accounts, or a default, to the file named in radio.credentials_file", without[0], len(without))
}

// networkBook finds devices by the addresses of the network files and the
// accounts of the credentials file. With a certificate authority, or a pin,
// the API is spoken inside TLS.
func networkBook(n *network.Network, c credentials, tls bool) radio.Book {
	return func(_ context.Context, id network.DeviceID) (radio.Target, error) {
		d, ok := n.Device(id)
		if !ok || d.Address == "" {
			return radio.Target{}, fault.New(fault.NotFound, "%s has no address in the network files", id)
		}
		a, ok := c.Devices[string(id)]
		if !ok {
			a = c.Default
		}
		if a.User == "" {
			return radio.Target{}, fault.New(fault.Denied, "%s has no account: add it, or a default, to radio.credentials_file", id)
		}
		t := radio.Target{Device: id, User: a.User, Password: a.Password, Pin: a.Pin}
		if tls || a.Pin != "" {
			t.TLSAddress = withPort(d.Address, "8729")
		} else {
			t.Address = withPort(d.Address, "8728")
		}
		return t, nil
	}
}

// withPort adds the port unless the address has one.
func withPort(addr, port string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(addr, port)
}

// loadCA reads certificate authorities; "" is nil. key is where the path stands.
func loadCA(key, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.NotFound, "%s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate", key, path)
	}
	return pool, nil
}
