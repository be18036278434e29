package feed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/crinale/crinale/internal/fault"
)

const (
	connectLimit = 10 * time.Second
	writeLimit   = 10 * time.Second
	keepAlive    = 15 * time.Second
)

// ports that a URL need not name.
var ports = map[string]string{"tcp": "1883", "mqtt": "1883", "ssl": "8883", "tls": "8883", "mqtts": "8883"}

// CheckURL says what is wrong with the URL of a broker; nil when nothing is.
// The error never holds a password.
func CheckURL(raw string) error {
	_, err := brokerURL(raw)
	return err
}

func brokerURL(raw string) (*url.URL, error) {
	const mend = "write it as tcp://HOST:PORT, or ssl://HOST:PORT for TLS, and give user and password apart"
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fault.New(fault.Invalid, "the URL of the message broker cannot be read: %s", mend)
	case ports[u.Scheme] == "" || u.Hostname() == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, fault.New(fault.Invalid, "message broker %s: not a URL that can be used: %s", (&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), mend)
	case u.Port() == "":
		u.Host = net.JoinHostPort(u.Hostname(), ports[u.Scheme])
	}
	return u, nil
}

// connect logs in at the broker. lost gets the cause when the connection ends
// later.
func (f *Feed) connect(ctx context.Context, name string, lost chan<- error) (mqtt.Client, string, error) {
	b := f.deps.Broker()
	u, err := brokerURL(b.URL)
	if err != nil {
		return nil, "", err
	}
	o := mqtt.NewClientOptions()
	o.AddBroker(u.String()).SetClientID(name).SetUsername(b.User).SetPassword(b.Password)
	o.SetProtocolVersion(4) // 3.1.1, with no second attempt in 3.1, whose EOF would hide the cause
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetConnectTimeout(connectLimit).SetWriteTimeout(writeLimit)
	o.SetKeepAlive(keepAlive).SetPingTimeout(keepAlive)
	o.SetBinaryWill(StatusTopic, marshal(Status{Status: "offline"}), 1, true)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case lost <- err:
		default:
		}
	})
	client := mqtt.NewClient(o)
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return nil, "", ctx.Err()
	}
	if err := token.Error(); err != nil {
		return nil, "", refusal(u.String(), b.User, err)
	}
	return client, u.String(), nil
}

// refusal says what is the matter when the broker does not let the feed in.
func refusal(at, user string, err error) error {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		record  tls.RecordHeaderError
	)
	kind, mend := fault.Unreachable, "check that the broker runs and can be reached from here"
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return fault.New(fault.Denied, "connect to message broker %s as %q: wrong user or password: %w", at, user, err)
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		kind, mend = fault.Refused, "it does not speak MQTT 3.1.1; switch that on, or use another broker"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		kind, mend = fault.Refused, "it does not take the client's name, which begins with crinale-; allow it"
	case errors.Is(err, syscall.ECONNREFUSED):
		mend = "nothing listens there; start the broker, or correct host and port"
	case errors.As(err, &dns):
		mend = "the name of the host is not known; correct it"
	case errors.As(err, &unknown), errors.As(err, &host):
		kind, mend = fault.Denied, "its certificate is not one that this machine trusts"
	case errors.As(err, &record):
		kind, mend = fault.Invalid, "it does not speak TLS at that port; use tcp://, or the right port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		kind, mend = fault.Refused, "it closed the connection at the login: most often a wrong user or password, or a port that wants TLS"
	}
	return fault.New(kind, "connect to message broker %s as %q: %s: %w", at, user, mend, err)
}
