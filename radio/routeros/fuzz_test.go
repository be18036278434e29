package routeros

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-routeros/routeros/v3/proto"

	"github.com/crinale/crinale/internal/unit"
)

// stream is a connection that plays bytes, in pieces of a given size.
type stream struct {
	net.Conn
	r     io.Reader
	piece int
}

func (s *stream) Read(p []byte) (int, error) {
	return s.r.Read(p[:min(len(p), max(1, s.piece))])
}
func (s *stream) Write(p []byte) (int, error) { return len(p), nil }
func (s *stream) Close() error                { return nil }
func (s *stream) SetDeadline(time.Time) error { return nil }

// through is what passes the guard, and why it stopped.
func through(b []byte, piece int, l Limits) ([]byte, *guard, error) {
	g := &guard{conn: &stream{r: bytes.NewReader(b), piece: piece}, max: l}
	g.begin()
	out, err := io.ReadAll(g)
	return out, g, err
}

// lengths walks the framing in the plainest way there is, as a second opinion
// on the guard: the longest word, and how many bytes are read before a length
// or a byte that must be refused. bad is false when there is none.
func lengths(b []byte, most uint64) (before int, bad bool) {
	for i := 0; i < len(b); {
		n, at := 0, uint64(b[i])
		switch c := b[i]; {
		case c >= 0xF8:
			return i, true
		case c >= 0xF0:
			n, at = 4, 0
		case c >= 0xE0:
			n, at = 3, uint64(c&0x0F)
		case c >= 0xC0:
			n, at = 2, uint64(c&0x1F)
		case c >= 0x80:
			n, at = 1, uint64(c&0x3F)
		}
		if i+n >= len(b) {
			return 0, false
		}
		for k := 1; k <= n; k++ {
			at = at<<8 | uint64(b[i+k])
		}
		if at > most {
			return i + n, true
		}
		i += n + 1 + int(at)
	}
	return 0, false
}

func seeds() [][]byte {
	recorded := bytes.Join([][]byte{
		sentence("!re", "=.id=*1", "=interface=wlan1", "=signal-strength=-51@1Mbps", "=tx-ccq=113", ".tag=4"),
		sentence("!re", "=name="+strings.Repeat("x", 300), ".tag=4"), sentence(), sentence("!done", ".tag=4"),
	}, nil)
	return [][]byte{
		recorded, recorded[:len(recorded)/2],
		sentence("!trap", "=category=0", "=message=no such command prefix"),
		sentence("!fatal", "session terminated on request"), sentence("!empty"),
		{0xF0, 0x20, 0, 0, 0}, {3, '!', 'r', 'e', 0xFF}, {0x80, 3, '!', 'r', 'e', 0}, {0xF1, 0, 0, 0, 3, '!', 'r', 'e', 0},
		[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
	}
}

// FuzzSentences: RouterOS sentences. The guard never lets a bad length or a
// control byte through, stops exactly before it, changes nothing, and passes
// all that the library reads as sentences; the library never panics behind it.
func FuzzSentences(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, uint8(7))
	}
	limits := Limits{WordBytes: 4096, SentenceWords: 64, ReplyWords: 1000, ReplyBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		out, g, err := through(b, int(piece), limits)
		if !bytes.HasPrefix(b, out) {
			t.Fatalf("the guard changed bytes: %x became %x", b, out)
		}
		var bad *protocolError
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("unexpected error %v", err)
		}
		if err == nil && len(out) != len(b) {
			t.Fatalf("%d of %d bytes passed without an error", len(out), len(b))
		}
		if before, is := lengths(b, uint64(limits.WordBytes)); is && len(out) > before {
			t.Fatalf("passed %d bytes, the bad length ends after %d: %x", len(out), before, b)
		}
		whole, h, errWhole := through(b, len(b), limits)
		if !bytes.Equal(out, whole) || (err == nil) != (errWhole == nil) || len(g.notes) != len(h.notes) {
			t.Fatalf("pieces of %d give %d bytes (%v), the whole %d (%v)", piece, len(out), err, len(whole), errWhole)
		}
		_ = refusal(g.notes)

		// What the library alone makes of the same bytes, where that is safe:
		// behind the guard it reads the same, unless some sentence is none
		// that a device may send.
		if _, is := lengths(b, uint64(limits.WordBytes)); !is && len(b) < 4096 {
			roomy := Limits{WordBytes: limits.WordBytes, SentenceWords: 1 << 20, ReplyWords: 1 << 20, ReplyBytes: 1 << 20}
			alone, known, aloneErr := sentences(bytes.NewReader(b))
			g := &guard{conn: &stream{r: bytes.NewReader(b), piece: int(piece)}, max: roomy}
			guarded, _, guardedErr := sentences(g)
			if g.err == nil && (alone != guarded || aloneErr.Error() != guardedErr.Error()) {
				t.Fatalf("library alone %q (%v), behind the guard %q (%v)", alone, aloneErr, guarded, guardedErr)
			}
			if g.err != nil && alone != guarded && known {
				t.Fatalf("the guard stopped what the library accepts: %v\n%s", g.err, alone)
			}
		}
	})
}

// sentences are all that the library reads, whether each is one that a device
// may send, and why it ended.
func sentences(r io.Reader) (all string, known bool, err error) {
	known = true
	for read := proto.NewReader(r); ; {
		s, err := read.ReadSentence()
		if err != nil {
			return all, known, err
		}
		all += s.String() + "\n"
		switch s.Word {
		case "!re", "!done", "!trap", "!fatal", "!empty", "":
		default:
			known = false
		}
	}
}

// FuzzExchange: whatever a device answers, a command ends with rows or with
// one line of error, and never shows the password.
func FuzzExchange(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Add(bytes.Join([][]byte{sentence("!done", ".tag=1"), sentence("!done", ".tag=1")}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := Default()
		cfg.Limits = Limits{WordBytes: 4096, SentenceWords: 64, ReplyWords: 1000, ReplyBytes: 1 << 16}
		s := &stream{r: bytes.NewReader(b), piece: 64}
		c, err := newConn(s, s, cfg, "segreto-7")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := c.run(t.Context(), "/x/print", "=.proplist=name")
		switch {
		case err == nil && c.broken:
			t.Error("rows from a broken session")
		case err != nil && (rows != nil || strings.ContainsAny(err.Error(), "\n\r\x00") || strings.Contains(err.Error(), "segreto-7")):
			t.Errorf("error %q with rows %v", err, rows)
		case err != nil && asTrap(err) == nil && !c.broken:
			t.Errorf("the session would be used again after %v", err)
		}

		s = &stream{r: bytes.NewReader(b), piece: 64}
		if c, err = newConn(s, s, cfg, "segreto-7"); err != nil {
			t.Fatal(err)
		}
		if err := c.login(t.Context(), "crinale", "segreto-7"); err != nil && (!c.broken || strings.ContainsAny(err.Error(), "\n\r\x00") || strings.Contains(err.Error(), "segreto-7")) {
			t.Errorf("login error %q, broken %v", err, c.broken)
		}
	})
}

// FuzzValues: the unit parser. Nothing panics; what comes out is finite and in
// its range; the same text in other dress gives the same.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"-76", "-62@1Mbps", "-65dBm@1Mbps", "-58@MCS7", "43dB", "65Mbps-20MHz/1S", "2.3Gbps", "54000000",
		"150Mbps", "1w4d23h26m9s", "4s750ms", "453us", "170ms", "2d03:04:05", "5%", "160.9m", "2", "23.8", "238", "46C", "true", "no", "407,12995",
		"5220/20/an", "5825/20/ac(10dBm)", "5180/20-Ceee/ac/DP(27dBm)", "5500/ax/Ceee", "58320", "5.22GHz", "auto", "1G-baseT-full",
		"perch\xe9", "è", "\x81\x00", "4C:5E:0C:0F:2B:3B", "", "-", ".", "1e400", "0x10", "99999999999999999999", "NaN", "+5s", "5:61", "1::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check := func(what string, v float64, ok bool, lo, hi float64) {
			if ok && (math.IsNaN(v) || v < lo || v > hi) {
				t.Errorf("%s(%q) = %v", what, s, v)
			}
		}
		inRange(check, "level", level(s), -200, 100)
		inRange(check, "ratio", ratio(s), -200, 200)
		inRange(check, "rate", rate(s), 0, 1e25)
		inRange(check, "duration", duration(s), 0, 1e30)
		inRange(check, "percent", percent(s), 0, 1e18)
		inRange(check, "distance", distance(s, 1000), 0, 1e22)
		inRange(check, "voltage", voltage(s), 0, 100)
		inRange(check, "celsius", celsius(s), -100, 150)
		inRange(check, "frequency", frequency(s), 0, 1e22)
		inRange(check, "count", count(s), 0, 1<<32)
		inRange(check, "width", megahertz(s), 0, 4320)
		c := parseChannel(s)
		inRange(check, "channel freq", c.Freq, 0, 1e22)
		inRange(check, "channel width", c.Width, 0, 4320)
		inRange(check, "channel power", c.Power, -200, 100)
		if m := hardware(s); m != "" && (len(m) != 17 || m != strings.ToUpper(m) || hardware(m) != m) {
			t.Errorf("hardware(%q) = %q", s, m)
		}
		if x := text(s); !utf8.ValidString(x) || len(x) > longest || strings.ContainsAny(x, "\x00\n\r\x1b") || text(x) != x {
			t.Errorf("text(%q) = %q", s, x)
		}
		if l := line(s); strings.ContainsAny(l, "\n\r") {
			t.Errorf("line(%q) = %q", s, l)
		}
		pair(s)
		list(s)
		w60gPeers("x", row{"remote-address": s, "rssi": s, "distance": s})
		parseHealth([]row{{"name": s, "value": s}, {"voltage": s}})
		if v, ok := duration(s).Get(); ok && strings.TrimSpace(s) == s && !strings.Contains(s, ":") {
			if w, ok := duration("0s" + s).Get(); !ok || w != v {
				t.Errorf("duration(0s+%q) = %v, want %v", s, w, v)
			}
		}
		if v, ok := level(s).Get(); ok && !strings.Contains(s, "@") {
			if w, _ := level(s + "@MCS7").Get(); w != v {
				t.Errorf("level(%q@MCS7) = %v, want %v", s, w, v)
			}
		}
	})
}

func inRange[T ~float64](check func(string, float64, bool, float64, float64), what string, o unit.Opt[T], lo, hi float64) {
	v, ok := o.Get()
	check(what, float64(v), ok, lo, hi)
}
