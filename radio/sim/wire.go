package sim

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-routeros/routeros/v3/proto"
)

// writeWait is how long a client may leave our bytes unread.
const writeWait = 30 * time.Second

// errSpoiled ends a session whose bytes a fault spoiled.
var errSpoiled = errors.New("spoiled by a fault")

// wire is the sending side of a session. The library codes the sentences into
// it; flush sends them, or what a fault of the device makes of them.
type wire struct {
	dev  *device
	conn net.Conn
	enc  proto.Writer
	done <-chan struct{} // closed when the session ends

	tainted atomic.Bool // a fault swallowed bytes: nothing after makes sense

	mu  sync.Mutex
	buf bytes.Buffer
	err error
}

func newWire(d *device, c net.Conn) *wire {
	w := &wire{dev: d, conn: c}
	w.enc = proto.NewWriter(w)
	return w
}

// Write takes coded bytes; it never fails, flush tells.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if w.buf.Len() > 64<<10 {
		w.send()
	}
	return len(p), nil
}

// sentence codes one reply.
func (w *wire) sentence(word, tag string, tagged bool, it item) error {
	w.enc.BeginSentence()
	w.enc.WriteWord(word)
	if tagged {
		w.enc.WriteWord(".tag=" + tag)
	}
	for _, p := range it {
		w.enc.WriteWord("=" + p.k + "=" + p.v)
	}
	return w.enc.EndSentence()
}

// fatal says why and ends the session: the reason is a bare word.
func (w *wire) fatal(why string) {
	w.enc.BeginSentence()
	w.enc.WriteWord("!fatal")
	w.enc.WriteWord(why)
	if w.enc.EndSentence() == nil {
		w.flush()
	}
}

func (w *wire) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.send()
	return w.err
}

// send needs w.mu.
func (w *wire) send() {
	b := w.buf.Bytes()
	defer w.buf.Reset()
	if w.err != nil || len(b) == 0 {
		return
	}
	if w.tainted.Load() {
		return // the client waits in vain until the fault is cleared
	}
	switch a := w.dev.wire.Load(); {
	case a == nil:
	case a.Kind == Silent:
		w.tainted.Store(true)
		return
	case a.Kind == HugeLength:
		// 512 MiB announced, and nothing of it follows.
		w.tainted.Store(true)
		b = []byte{0xF0, 0x20, 0x00, 0x00, 0x00}
	case a.Kind == Garbage:
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
	case a.Kind == CutMidSentence:
		w.write(b[:(len(b)+1)/2])
		w.conn.Close()
		w.err = errSpoiled
		return
	}
	w.write(b)
}

func (w *wire) write(b []byte) {
	if !w.dev.waitJoined(w.done, writeWait) {
		w.err = errCutOff
		w.conn.Close()
		return
	}
	w.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := w.conn.Write(b); err != nil {
		w.err = err
		w.conn.Close()
	}
}
