package spine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// connect is the first packet of a client (MQTT 3.1.1, section 3.1).
type connect struct {
	flags       byte
	keepAlive   uint16 // s
	id          string
	willTopic   []byte
	willMessage []byte
	user        string
	password    []byte
}

const (
	maxConnect = 8 << 10 // bytes of a CONNECT, after its fixed header
	maxID      = 256     // bytes of a client id
	maxUser    = 256     // bytes of a user name
)

// Bits of connect.flags.
const (
	flagReserved   = 1 << 0
	flagClean      = 1 << 1
	flagWill       = 1 << 2
	flagWillQoS    = 3 << 3
	flagWillRetain = 1 << 5
	flagPassword   = 1 << 6
	flagUser       = 1 << 7
)

// Return codes of a CONNACK, section 3.2.2.3.
const (
	accepted       = 0
	badVersion     = 1
	badID          = 2
	unavailable    = 3
	badCredentials = 4
	notAuthorised  = 5
)

// refusal is why a client is not let in. A code of 0 means that it gets no
// answer, because it does not speak MQTT.
type refusal struct {
	code byte
	why  string
}

func (r *refusal) Error() string { return r.why }

func malformed(format string, a ...any) error { return &refusal{0, fmt.Sprintf(format, a...)} }

// readConnect reads a CONNECT and not a byte more. What is not one, to the
// letter, is a *refusal; other errors are those of r.
func readConnect(r io.Reader) (connect, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:1]); err != nil {
		return connect{}, err
	}
	switch head[0] {
	case 0x10:
	case 0x16:
		return connect{}, malformed("it speaks TLS, and this port does not")
	case 'G', 'P', 'H', 'O':
		return connect{}, malformed("it speaks HTTP or another protocol of words, not MQTT")
	default:
		return connect{}, malformed("the first byte is %#02x, not that of a CONNECT", head[0])
	}
	size := 0
	for shift := 0; ; shift += 7 {
		if shift > 21 {
			return connect{}, malformed("the length of the CONNECT has more than 4 bytes")
		}
		if _, err := io.ReadFull(r, head[1:]); err != nil {
			return connect{}, short(err)
		}
		size |= int(head[1]&0x7f) << shift
		if head[1]&0x80 == 0 {
			break
		}
	}
	if size > maxConnect {
		return connect{}, malformed("a CONNECT of %d bytes, at most %d are read", size, maxConnect)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return connect{}, short(err)
	}
	return parseConnect(body)
}

// short tells an end in the middle from one before the first byte.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseConnect reads what follows the fixed header.
func parseConnect(body []byte) (connect, error) {
	p := fields{rest: body}
	var c connect
	name, level := p.bytes("protocol name"), p.byte("protocol level")
	if p.err != nil {
		return c, p.err
	}
	switch {
	case string(name) == "MQTT" && level == 4:
	case string(name) == "MQTT", string(name) == "MQIsdp":
		return c, &refusal{badVersion, fmt.Sprintf("it speaks %s at level %d, and this broker MQTT 3.1.1 (level 4) only", name, level)}
	default:
		return c, malformed("the protocol is named %q, not MQTT", cut(name))
	}
	c.flags = p.byte("flags")
	c.keepAlive = p.uint16("keep alive")
	if p.err == nil {
		p.err = checkFlags(c.flags)
	}
	c.id = p.text("client id")
	if c.flags&flagWill != 0 {
		c.willTopic = []byte(p.text("will topic"))
		c.willMessage = p.bytes("will message")
	}
	if c.flags&flagUser != 0 {
		c.user = p.text("user name")
	}
	if c.flags&flagPassword != 0 {
		c.password = p.bytes("password")
	}
	switch {
	case p.err != nil:
		return c, p.err
	case len(p.rest) > 0:
		return c, malformed("%d bytes too many in the CONNECT", len(p.rest))
	case c.flags&flagWill != 0 && len(c.willTopic) == 0:
		return c, malformed("the will has no topic")
	case len(c.id) > maxID:
		return c, &refusal{badID, fmt.Sprintf("a client id of %d bytes, at most %d are taken", len(c.id), maxID)}
	case c.id == "" && c.flags&flagClean == 0:
		return c, &refusal{badID, "no client id, and yet a session that should last"}
	case len(c.user) > maxUser:
		return c, &refusal{badCredentials, fmt.Sprintf("a user name of %d bytes", len(c.user))}
	case c.user == "":
		return c, &refusal{notAuthorised, "no user name"}
	}
	return c, nil
}

func checkFlags(f byte) error {
	switch {
	case f&flagReserved != 0:
		return malformed("the reserved flag of the CONNECT is set")
	case f&flagWill == 0 && f&(flagWillQoS|flagWillRetain) != 0:
		return malformed("no will, and yet flags of one")
	case f&flagWillQoS == flagWillQoS:
		return malformed("a will of QoS 3")
	case f&flagUser == 0 && f&flagPassword != 0:
		return malformed("a password without a user name")
	}
	return nil
}

// session is the id as the server knows it: USER:ID, and empty when the client
// leaves it to the server.
func (c *connect) session() string {
	if c.id == "" {
		return ""
	}
	return c.user + ":" + c.id
}

// packet is the CONNECT in bytes, with these in place of its user and id.
func (c *connect) packet(user, id string) []byte {
	body := make([]byte, 0, 64+len(id)+len(c.willTopic)+len(c.willMessage)+len(user)+len(c.password))
	add := func(v []byte) {
		body = binary.BigEndian.AppendUint16(body, uint16(len(v)))
		body = append(body, v...)
	}
	add([]byte("MQTT"))
	body = append(body, 4, c.flags)
	body = binary.BigEndian.AppendUint16(body, c.keepAlive)
	add([]byte(id))
	if c.flags&flagWill != 0 {
		add(c.willTopic)
		add(c.willMessage)
	}
	if c.flags&flagUser != 0 {
		add([]byte(user))
	}
	if c.flags&flagPassword != 0 {
		add(c.password)
	}
	p := []byte{0x10}
	n := len(body)
	for ; n > 0x7f; n >>= 7 {
		p = append(p, byte(n)|0x80)
	}
	return append(append(p, byte(n)), body...)
}

// fields takes one field after the other; after an error it takes none.
type fields struct {
	rest []byte
	err  error
}

func (p *fields) take(n int, what string) []byte {
	if p.err != nil {
		return nil
	}
	if n > len(p.rest) {
		p.err = malformed("the CONNECT ends within its %s", what)
		return nil
	}
	v := p.rest[:n]
	p.rest = p.rest[n:]
	return v
}

func (p *fields) byte(what string) byte {
	if v := p.take(1, what); v != nil {
		return v[0]
	}
	return 0
}

func (p *fields) uint16(what string) uint16 {
	if v := p.take(2, what); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (p *fields) bytes(what string) []byte { return p.take(int(p.uint16(what)), what) }

// text is UTF-8 without a zero, section 1.5.3.
func (p *fields) text(what string) string {
	v := string(p.bytes(what))
	if p.err == nil && (!utf8.ValidString(v) || strings.ContainsRune(v, 0)) {
		p.err = malformed("the %s is not UTF-8 text", what)
	}
	return v
}

// cut shortens what a stranger sent, for the log.
func cut(v []byte) []byte { return v[:min(len(v), 20)] }
