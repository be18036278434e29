package routeros

import (
	"fmt"
	"net"
)

// Limits bound what a device may send in answer to one command. What passes
// them ends the connection before any of it is held in memory.
type Limits struct {
	WordBytes     int // one word; RouterOS itself sends none above 64 KiB in the menus read here
	SentenceWords int // words of one sentence
	ReplyWords    int // words of all sentences of one reply
	ReplyBytes    int // bytes of one reply, lengths included
}

// DefaultLimits leave room for a table of 3,000 rows of 36 attributes.
func DefaultLimits() Limits {
	return Limits{WordBytes: 256 << 10, SentenceWords: 512, ReplyWords: 200_000, ReplyBytes: 8 << 20}
}

// guard stands between the connection and the protocol library. It follows
// the framing of the API (length, word, length, word … zero length) and stops
// the stream before a length that the library would trust and allocate, before
// a reserved control byte (0xF8 and above, which the library takes for a
// length) and where an answer does not begin like one. It notes what !trap and
// !fatal sentences say, since the library keeps the last trap only and refuses
// the bare reason word of !fatal.
//
// The library reads through a buffer of its own, so the guard does not.
// Not safe for concurrent use, but deadlines may be set on conn from outside.
type guard struct {
	conn net.Conn
	max  Limits
	err  error // why nothing more passes

	bytes, words int // of the answer so far
	sent         int // bytes of the command so far

	need  int    // bytes of the length still to come
	size  uint64 // length so far
	body  int    // bytes of the word still to come
	index int    // words of the sentence so far
	word  []byte // the word, where it is kept
	keep  bool   // the sentence is a !trap or a !fatal
	notes []note
}

// note is a !trap or !fatal sentence as it came, cut where it is long.
type note struct {
	kind  string
	words []string
}

const (
	keepWord  = 512 // bytes kept of a noted word
	keepWords = 16  // words kept of a noted sentence
	keepNotes = 8   // sentences kept of one answer
)

// protocolError is an answer that is not the RouterOS API.
type protocolError struct{ what string }

func (e *protocolError) Error() string { return e.what }

// Foreign tells whoever gives advice that something did answer: power and
// cable are not the trouble, the address or the port may be.
func (e *protocolError) Foreign() bool { return true }

// begin opens the budget of the next answer.
func (g *guard) begin() {
	g.bytes, g.words, g.sent, g.notes = 0, 0, 0, nil
}

// Read hands on what arrives, up to the first byte that must not pass.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.conn.Read(p)
	ok := g.scan(p[:n])
	g.bytes += ok
	if g.err == nil && g.bytes > g.max.ReplyBytes {
		g.fail("sends more than %d bytes in answer to one command", g.max.ReplyBytes)
		return 0, g.err
	}
	if ok < n {
		return ok, g.err
	}
	return n, err
}

// Write passes a command on and counts what went out.
func (g *guard) Write(p []byte) (int, error) {
	n, err := g.conn.Write(p)
	g.sent += n
	return n, err
}

func (g *guard) Close() error { return g.conn.Close() }

func (g *guard) fail(format string, args ...any) {
	g.err = &protocolError{fmt.Sprintf(format, args...)}
}

// scan follows p and returns how many of its bytes may pass; fewer than all
// means that g.err is set.
func (g *guard) scan(p []byte) int {
	for i := 0; i < len(p); {
		if g.body > 0 {
			n := min(g.body, len(p)-i)
			if g.index == 0 && len(g.word) == 0 && p[i] != '!' {
				g.fail("answers with something that is not the RouterOS API")
				return i
			}
			if (g.index == 0 || g.keep) && len(g.word) < keepWord {
				g.word = append(g.word, p[i:i+min(n, keepWord-len(g.word))]...)
			}
			i += n
			if g.body -= n; g.body == 0 {
				g.endWord()
			}
			continue
		}
		if g.need == 0 {
			if !g.lengthStart(p[i]) {
				return i
			}
		} else {
			g.size = g.size<<8 | uint64(p[i])
			g.need--
		}
		if g.need == 0 && !g.beginWord() {
			return i
		}
		i++
	}
	return len(p)
}

// lengthStart reads the first byte of a length: its leading ones say how many
// bytes follow (manual: API, word length).
func (g *guard) lengthStart(b byte) bool {
	switch {
	case b < 0x80:
		g.size, g.need = uint64(b), 0
	case b < 0xC0:
		g.size, g.need = uint64(b&0x3F), 1
	case b < 0xE0:
		g.size, g.need = uint64(b&0x1F), 2
	case b < 0xF0:
		g.size, g.need = uint64(b&0x0F), 3
	case b < 0xF8:
		g.size, g.need = 0, 4
	default:
		g.fail("sends the reserved control byte 0x%02X", b)
		return false
	}
	return true
}

// beginWord takes a whole length: zero ends the sentence.
func (g *guard) beginWord() bool {
	switch {
	case g.size == 0:
		g.endSentence()
		return true
	case g.size > uint64(g.max.WordBytes):
		g.fail("announces a word of %d bytes, %d are the most", g.size, g.max.WordBytes)
	case g.index >= g.max.SentenceWords:
		g.fail("sends a sentence of more than %d words", g.max.SentenceWords)
	case g.words >= g.max.ReplyWords:
		g.fail("sends more than %d words in answer to one command", g.max.ReplyWords)
	default:
		g.body = int(g.size)
		g.word = g.word[:0]
		return true
	}
	return false
}

func (g *guard) endWord() {
	switch {
	case g.index == 0:
		kind := string(g.word)
		g.keep = (kind == "!trap" || kind == "!fatal") && len(g.notes) < keepNotes
		if g.keep {
			g.notes = append(g.notes, note{kind: kind})
		}
	case g.keep:
		if n := &g.notes[len(g.notes)-1]; len(n.words) < keepWords {
			n.words = append(n.words, string(g.word))
		}
	}
	g.index++
	g.words++
}

func (g *guard) endSentence() {
	g.index, g.keep = 0, false
}
