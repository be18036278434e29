package sim

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-routeros/routeros/v3/proto"
)

// limits on what a client may send in one sentence. Before login they are
// low, as the manual says of a device ("size and number limited").
type limits struct {
	word  int // bytes of one word
	words int
	total int // bytes of all words
}

var (
	strangers = limits{word: 1 << 10, words: 16, total: 4 << 10}
	users     = limits{word: 256 << 10, words: 1024, total: 1 << 20}
)

// errTooLong and errControl end a session: what follows can not be trusted to
// be the start of a word.
var (
	errTooLong = errors.New("sentence too long")
	errControl = errors.New("reserved control byte")
)

// words reads sentences. The library decodes every word; this gate before it
// only measures the length prefix, because the library allocates whatever a
// prefix announces, and ends each word's sentence at once, because the library
// takes a query word for an error unless it is the first.
type words struct {
	in   *bufio.Reader
	feed bytes.Buffer
	dec  proto.Reader
}

func newWords(r io.Reader) *words {
	w := &words{in: bufio.NewReaderSize(r, 1024)}
	w.dec = proto.NewReader(&w.feed)
	return w
}

// sentence is the next one's words; an empty sentence is nil.
func (w *words) sentence(lim limits) ([]string, error) {
	var out []string
	total := 0
	for {
		n, err := w.prefix(lim)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			w.feed.Reset()
			return out, nil
		}
		if total += n; total > lim.total || len(out) == lim.words {
			return nil, errTooLong
		}
		if _, err := io.CopyN(&w.feed, w.in, int64(n)); err != nil {
			return nil, fmt.Errorf("sentence cut off: %w", err)
		}
		w.feed.WriteByte(0)
		s, err := w.dec.ReadSentence()
		if err != nil {
			return nil, err
		}
		out = append(out, s.Word)
	}
}

// prefix passes one length prefix on to the feed and says what it announces.
func (w *words) prefix(lim limits) (int, error) {
	first, err := w.in.ReadByte()
	if err != nil {
		return 0, err
	}
	w.feed.WriteByte(first)
	more, n := 0, int(first)
	switch {
	case first < 0x80:
	case first < 0xC0:
		more, n = 1, n&0x3F
	case first < 0xE0:
		more, n = 2, n&0x1F
	case first < 0xF0:
		more, n = 3, n&0x0F
	case first == 0xF0:
		more, n = 4, 0
	default:
		return 0, errControl
	}
	for range more {
		b, err := w.in.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("length cut off: %w", err)
		}
		w.feed.WriteByte(b)
		n = n<<8 | int(b)
	}
	if n > lim.word {
		return 0, errTooLong
	}
	return n, nil
}
