package routeros

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/radio"
)

// word is one word as the API frames it.
func word(w string) []byte {
	n := len(w)
	switch {
	case n < 0x80:
		return append([]byte{byte(n)}, w...)
	case n < 0x4000:
		return append([]byte{byte(n>>8) | 0x80, byte(n)}, w...)
	default:
		return append([]byte{byte(n>>16) | 0xC0, byte(n >> 8), byte(n)}, w...)
	}
}

// sentence frames words and ends them.
func sentence(words ...string) []byte {
	var b []byte
	for _, w := range words {
		b = append(b, word(w)...)
	}
	return append(b, 0)
}

// script is a device of a few lines: what it says to each command, as
// sentences. The tag of the command is added to each.
type script map[string][][]string

// peer is one connection to a scripted device, seen from the device.
type peer struct {
	net.Conn
	r *bufio.Reader
}

// hear reads one sentence; ok is false at the end of the connection.
func (p *peer) hear() (words []string, tag string, ok bool) {
	for {
		n, err := p.r.ReadByte()
		if err != nil {
			return nil, "", false
		}
		size := int(n)
		if n >= 0x80 {
			low, err := p.r.ReadByte()
			if err != nil || n >= 0xC0 {
				return nil, "", false
			}
			size = int(n&0x3F)<<8 | int(low)
		}
		if size == 0 {
			return words, tag, true
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(p.r, b); err != nil {
			return nil, "", false
		}
		if t, is := strings.CutPrefix(string(b), ".tag="); is {
			tag = t
		} else {
			words = append(words, string(b))
		}
	}
}

// say sends one sentence with the tag.
func (p *peer) say(tag string, words ...string) bool {
	if tag != "" {
		words = append(words[:len(words):len(words)], ".tag="+tag)
	}
	_, err := p.Write(sentence(words...))
	return err == nil
}

// device answers connections made through its Dial, without a network, so that
// synctest can hold the time.
type device struct {
	mu     sync.Mutex
	heard  []string // every command with its arguments, tags left out
	dials  int
	serve  func(*peer)
	target radio.Target
}

// newDevice is a device whose connections are served by f.
func newDevice(f func(*peer)) *device {
	return &device{serve: f, target: radio.Target{Device: "mombarcaro-nord", Address: "10.1.0.2:8728", User: "crinale", Password: "segreto-7"}}
}

// newScripted is a device that logs in anybody and follows a script; what the
// script does not know does not exist.
func newScripted(s script) *device {
	d := &device{}
	*d = *newDevice(func(p *peer) { d.follow(p, s) })
	return d
}

func (d *device) follow(p *peer, s script) {
	for {
		words, tag, ok := p.hear()
		if !ok || !d.answer(p, s, words, tag) {
			return
		}
	}
}

// answer plays the script's answer to one command.
func (d *device) answer(p *peer, s script, words []string, tag string) bool {
	d.mu.Lock()
	d.heard = append(d.heard, strings.Join(words, " "))
	d.mu.Unlock()
	if words[0] == "/login" {
		return p.say(tag, "!done")
	}
	lines, known := s[words[0]]
	if !known {
		lines = [][]string{{"!trap", "=message=no such command prefix"}, {"!done"}}
	}
	for _, l := range lines {
		if !p.say(tag, l...) {
			return false
		}
	}
	return true
}

func (d *device) commands() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.heard...)
}

func (d *device) dial(context.Context, string, string) (net.Conn, error) {
	d.mu.Lock()
	d.dials++
	d.mu.Unlock()
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		d.serve(&peer{theirs, bufio.NewReader(theirs)})
	}()
	return ours, nil
}

// driver is a driver that reaches the device, and closes its sessions at the
// end of the test.
func (d *device) driver(t testing.TB, change ...func(*Config)) *Driver {
	t.Helper()
	c := Default()
	for _, f := range change {
		f(&c)
	}
	r, err := New(c, Deps{Dial: d.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.reap(0) })
	return r
}

// rows are the sentences of a table, one line a row: "key=value key=value".
// Values with spaces are written with _ for the space.
func rows(lines ...string) [][]string {
	var out [][]string
	for _, l := range lines {
		s := []string{"!re"}
		for _, f := range strings.Fields(l) {
			s = append(s, "="+strings.ReplaceAll(f, "_", " "))
		}
		out = append(out, s)
	}
	return append(out, []string{"!done"})
}
