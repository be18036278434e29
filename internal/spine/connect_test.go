package spine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// raw builds a CONNECT by hand: variable header, then fields.
func raw(name string, level, flags byte, fields ...string) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(name)))
	body = append(append(body, name...), level, flags, 0, 60)
	for _, f := range fields {
		body = binary.BigEndian.AppendUint16(body, uint16(len(f)))
		body = append(body, f...)
	}
	return framed(body)
}

func framed(body []byte) []byte {
	p := []byte{0x10}
	n := len(body)
	for ; n > 127; n /= 128 {
		p = append(p, byte(n%128)+128)
	}
	return append(append(p, byte(n)), body...)
}

func TestConnectThatIsTaken(t *testing.T) {
	const login = flagUser | flagPassword
	for name, c := range map[string]struct {
		packet []byte
		want   connect
	}{
		"usual": {raw("MQTT", 4, login, "noc", "wisp-a", "p"),
			connect{flags: login, keepAlive: 60, id: "noc", user: "wisp-a", password: []byte("p")}},
		"no id": {raw("MQTT", 4, login|flagClean, "", "wisp-a", "p"),
			connect{flags: login | flagClean, keepAlive: 60, user: "wisp-a", password: []byte("p")}},
		"no password": {raw("MQTT", 4, flagUser, "noc", "wisp-a"),
			connect{flags: flagUser, keepAlive: 60, id: "noc", user: "wisp-a"}},
		"will": {raw("MQTT", 4, login|flagWill|1<<3|flagWillRetain, "noc", "a/b", "\x00\xff", "wisp-a", "\x00"),
			connect{flags: login | flagWill | 1<<3 | flagWillRetain, keepAlive: 60, id: "noc",
				willTopic: []byte("a/b"), willMessage: []byte{0, 0xff}, user: "wisp-a", password: []byte{0}}},
		"long": {raw("MQTT", 4, login, strings.Repeat("è", 128), "wisp-a", strings.Repeat("p", 5000)),
			connect{flags: login, keepAlive: 60, id: strings.Repeat("è", 128), user: "wisp-a", password: bytes.Repeat([]byte("p"), 5000)}},
	} {
		r := bytes.NewReader(append(c.packet, "more"...))
		got, err := readConnect(r)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
			continue
		}
		if r.Len() != 4 {
			t.Errorf("%s: %d bytes left, want the 4 that follow", name, r.Len())
		}
		if same := got.packet(got.user, got.id); !bytes.Equal(same, c.packet) {
			t.Errorf("%s: written again it is %q, was %q", name, same, c.packet)
		}
		other := c.want
		other.user, other.id = "wisp-a@key", "wisp-a:noc"
		back, err := readConnect(bytes.NewReader(got.packet(other.user, other.id)))
		if err != nil || !reflect.DeepEqual(back, other) {
			t.Errorf("%s: with another user and id: %+v, %v", name, back, err)
		}
	}
}

func TestConnectThatIsRefused(t *testing.T) {
	const login = flagUser | flagPassword
	for name, c := range map[string]struct {
		packet []byte
		code   byte
		why    string
	}{
		"TLS":                {[]byte{0x16, 3, 1, 2, 0}, 0, "TLS"},
		"HTTP":               {[]byte("GET / HTTP/1.1\r\n\r\n"), 0, "HTTP"},
		"another packet":     {[]byte{0x30, 2, 0, 0}, 0, "first byte is 0x30"},
		"flags of CONNECT":   {[]byte{0x11, 2, 0, 0}, 0, "first byte is 0x11"},
		"endless length":     {[]byte{0x10, 0xff, 0xff, 0xff, 0xff, 1}, 0, "more than 4 bytes"},
		"too long":           {[]byte{0x10, 0x81, 0x80, 1}, 0, "at most 8192"},
		"empty":              {framed(nil), 0, "ends within its protocol name"},
		"other protocol":     {raw("AMQP", 4, login, "noc", "u", "p"), 0, `named "AMQP"`},
		"MQTT 3.1":           {raw("MQIsdp", 3, login, "noc", "u", "p"), badVersion, "level 3"},
		"MQTT 5":             {raw("MQTT", 5, login, "noc", "u", "p"), badVersion, "level 5"},
		"reserved flag":      {raw("MQTT", 4, login|flagReserved, "noc", "u", "p"), 0, "reserved flag"},
		"will QoS, no will":  {raw("MQTT", 4, login|1<<3, "noc", "u", "p"), 0, "no will"},
		"retain, no will":    {raw("MQTT", 4, login|flagWillRetain, "noc", "u", "p"), 0, "no will"},
		"will QoS 3":         {raw("MQTT", 4, login|flagWill|3<<3, "noc", "t", "m", "u", "p"), 0, "QoS 3"},
		"will, empty topic":  {raw("MQTT", 4, login|flagWill, "noc", "", "m", "u", "p"), 0, "no topic"},
		"password, no user":  {raw("MQTT", 4, flagPassword, "noc", "p"), 0, "without a user"},
		"nobody":             {raw("MQTT", 4, flagClean, "noc"), notAuthorised, "no user name"},
		"empty user":         {raw("MQTT", 4, login, "noc", "", "p"), notAuthorised, "no user name"},
		"long user":          {raw("MQTT", 4, login, "noc", strings.Repeat("u", maxUser+1), "p"), badCredentials, "257 bytes"},
		"long id":            {raw("MQTT", 4, login, strings.Repeat("i", maxID+1), "u", "p"), badID, "257 bytes"},
		"no id, session":     {raw("MQTT", 4, login, "", "u", "p"), badID, "no client id"},
		"id not UTF-8":       {raw("MQTT", 4, login, "\xff", "u", "p"), 0, "client id is not UTF-8"},
		"id with zero":       {raw("MQTT", 4, login, "a\x00b", "u", "p"), 0, "client id is not UTF-8"},
		"user not UTF-8":     {raw("MQTT", 4, login, "i", "\xc3", "p"), 0, "user name is not UTF-8"},
		"cut id":             {framed(raw("MQTT", 4, login, "noc")[2:14]), 0, "ends within its client id"},
		"password missing":   {raw("MQTT", 4, login, "noc", "u"), 0, "ends within its password"},
		"something after":    {raw("MQTT", 4, login, "noc", "u", "p", "x"), 0, "3 bytes too many"},
		"second user hidden": {raw("MQTT", 4, flagUser, "noc", "u", "v"), 0, "3 bytes too many"},
	} {
		_, err := readConnect(bytes.NewReader(c.packet))
		var r *refusal
		if !errors.As(err, &r) || r.code != c.code || !strings.Contains(r.why, c.why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A connection that ends within the packet is no refusal: nobody is there.
func TestConnectThatIsCut(t *testing.T) {
	whole := raw("MQTT", 4, flagUser|flagPassword, "noc", "wisp-a", strings.Repeat("p", 200))
	for n := range whole {
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if _, err := readConnect(bytes.NewReader(whole[:n])); err != want {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}

// FuzzReadConnect: no panic, never more memory or bytes than a CONNECT may
// have, and what is taken can be written and read again and stays the same,
// with the id of the user's own.
func FuzzReadConnect(f *testing.F) {
	const login = flagUser | flagPassword
	f.Add(raw("MQTT", 4, login, "noc", "wisp-a", "p"))
	f.Add(raw("MQTT", 4, login|flagWill|1<<3|flagWillRetain, "noc", "a/b", "m", "wisp-a", "p"))
	f.Add(raw("MQTT", 4, login|flagClean, "", "wisp-a", strings.Repeat("p", 300)))
	f.Add(raw("MQIsdp", 3, login, "noc", "wisp-a", "p"))
	f.Add([]byte{0x10, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bytes.NewReader(data)
		c, err := readConnect(in)
		if used := len(data) - in.Len(); used > maxConnect+5 {
			t.Fatalf("%d bytes were read", used)
		}
		if err != nil {
			return
		}
		if c.user == "" || len(c.id) > maxID {
			t.Fatalf("taken: %+v", c)
		}
		if len(data) > maxConnect/2 || len(c.user) > maxUser/4 || len(c.id) > maxID/2 {
			return // what follows would be too long for the reader
		}
		want := c
		want.user, want.id = c.user+"@key", c.user+":"+c.id
		back, err := readConnect(bytes.NewReader(want.packet(want.user, want.id)))
		if err != nil || !reflect.DeepEqual(back, want) {
			t.Fatalf("%+v came back as %+v, %v", want, back, err)
		}
	})
}
