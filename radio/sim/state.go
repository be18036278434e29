package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// The files under the state folder. sim.json is for others (CONTRACTS); the
// rest is the fleet's own memory.
const (
	announceFile = "sim.json"
	memoryFile   = "fleet.json"
	certFile     = "cert.pem"
	keyFile      = "key.pem"
	deviceDir    = "devices"
)

// memory is what a fleet remembers of its devices over restarts, besides the
// configurations.
type memory struct {
	ControlPort int                               `json:"control_port"`
	Devices     map[network.DeviceID]deviceMemory `json:"devices"`
}

type deviceMemory struct {
	Port     int       `json:"port"`
	TLSPort  int       `json:"tls_port"`
	Password string    `json:"password"`
	Boot     time.Time `json:"boot"`
}

// kept is a device's file: its configuration, and of which kind of device.
type kept struct {
	Driver string  `json:"driver"`
	Config *config `json:"config"`
}

// load reads the state folder, makes what is missing, and starts the air.
func (f *Fleet) load() error {
	if err := os.MkdirAll(filepath.Join(f.cfg.StateDir, deviceDir), 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	// A reader that finds sim.json may rely on it: away with the last run's.
	if err := os.Remove(f.path(announceFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state folder: %w", err)
	}
	f.memory = memory{Devices: map[network.DeviceID]deviceMemory{}}
	if err := readJSON(f.path(memoryFile), &f.memory); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; remove the file to start with new passwords", err)
	}
	if f.memory.Devices == nil {
		f.memory.Devices = map[network.DeviceID]deviceMemory{}
	}
	f.plan()
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.devices {
		m := f.memory.Devices[d.id]
		if m.Password == "" {
			m.Password = secret()
		}
		if m.Boot.IsZero() || m.Boot.After(now) {
			m.Boot = now.Add(-d.firstUptime()).Truncate(time.Second)
		}
		f.memory.Devices[d.id] = m
		d.boot = m.Boot
		d.config = d.factory.clone()
		d.config.setPassword(f.cfg.User, m.Password)
		var k kept
		err := readJSON(d.file(), &k)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("device %s: %w; remove the file to go back to the network's settings", d.id, err)
		case k.Driver != d.driver || !k.Config.sound():
			f.log.Warn("kept configuration is of another kind of device, the network's settings are taken", "device", d.id, "kept", k.Driver, "now", d.driver)
		default:
			k.Config.adopt(d.factory)
			d.config = k.Config
		}
	}
	if !f.cfg.NoTLS {
		c, err := f.certificate()
		if err != nil {
			return err
		}
		f.tls = c
	}
	f.startAir(now)
	for _, d := range f.devices {
		d.powerOn(now)
	}
	return nil
}

// announce writes the memory and then sim.json; nothing before the fleet has
// its ports.
func (f *Fleet) announce() error {
	f.saveMu.Lock()
	defer f.saveMu.Unlock()
	f.mu.Lock()
	m := memory{f.memory.ControlPort, maps.Clone(f.memory.Devices)}
	out := struct {
		Devices []Endpoint `json:"devices"`
		Control string     `json:"control"`
	}{f.endpoints(), f.control}
	f.mu.Unlock()
	if out.Control == "" {
		return nil
	}
	if err := writeJSON(f.path(memoryFile), m); err != nil {
		return fmt.Errorf("simulated fleet: %w", err)
	}
	if err := writeJSON(f.path(announceFile), out); err != nil {
		return fmt.Errorf("simulated fleet: %w", err)
	}
	return nil
}

// endpoints needs f.mu.
func (f *Fleet) endpoints() []Endpoint {
	if f.control == "" {
		return nil
	}
	out := make([]Endpoint, 0, len(f.devices))
	for _, d := range f.devices {
		out = append(out, Endpoint{ID: d.id, Address: d.address, TLS: d.tlsAddress, User: f.cfg.User, Password: d.config.password(f.cfg.User)})
	}
	return out
}

func (f *Fleet) path(name string) string { return filepath.Join(f.cfg.StateDir, name) }

func (d *device) file() string {
	return filepath.Join(d.fleet.cfg.StateDir, deviceDir, string(d.id)+".json")
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeFile(path, append(b, '\n'))
}

// writeFile replaces a file so that a power cut leaves the old or the new one.
func writeFile(path string, b []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = t.Write(b)
	if err == nil {
		err = t.Sync()
	}
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		os.Remove(t.Name())
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func secret() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// certificate is the fleet's own, made once and kept, so that a client may pin
// it.
func (f *Fleet) certificate() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(f.path(certFile), f.path(keyFile))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("certificate in %s: %w; remove cert.pem and key.pem to get new ones", f.cfg.StateDir, err)
		}
		if cert, err = f.newCertificate(); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

func (f *Fleet) newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "simulated fleet"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})
	if err := writeFile(f.path(keyFile), keyPEM); err != nil {
		return tls.Certificate{}, err
	}
	if err := writeFile(f.path(certFile), certPEM); err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
