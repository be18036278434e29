package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/crinale/crinale/edge"
)

// entry is what is stored at one address, the newest first. It is never changed.
type entry struct {
	key
	all []*object
}

// weight is about what an entry takes in memory.
func (e *entry) weight() uint32 {
	n := 200 + len(e.address)
	for _, o := range e.all {
		n += 400 + 64*len(o.pieces) + len(o.small.bytes())
		for k, lines := range o.head.Header {
			n += 64 + len(k)
			for _, l := range lines {
				n += 16 + len(l)
			}
		}
	}
	return uint32(min(n, 1<<30))
}

// The first bytes of a record: plain, or sealed.
var (
	plainMagic  = []byte("crinale record 1\n")
	sealedMagic = []byte("crinale sealed 1\n")
)

// mostRecord is how long a record may be, in bytes.
const mostRecord = 16 << 20

// recorded is a record as it is written, in JSON.
type recorded struct {
	Address  string            `json:"address"`
	Variants []recordedVariant `json:"variants"`
}

type recordedVariant struct {
	Status  int         `json:"status"`
	Header  http.Header `json:"header"`
	Asked   time.Time   `json:"asked"`
	Got     time.Time   `json:"got"`
	Variant string      `json:"variant,omitempty"`
	Shared  bool        `json:"shared,omitempty"`
	Length  int64       `json:"length"`
	Pieces  []string    `json:"pieces,omitempty"` // "first length name"
}

// encode is an entry as it is written: magic, then the SHA-256 of what follows,
// then JSON; of a sealed place magic, then a nonce, then the sealed JSON, bound
// to its id.
func (s *Store) encode(e *entry) ([]byte, error) {
	r := recorded{Address: e.address}
	for _, o := range e.all {
		v := recordedVariant{Status: o.head.Status, Header: o.head.Header, Asked: o.head.Asked, Got: o.head.Got, Variant: o.head.Variant, Shared: o.head.Shared, Length: o.length}
		for _, p := range o.pieces {
			v.Pieces = append(v.Pieces, fmt.Sprintf("%d %d %x", p.First, p.Length, p.chunk))
		}
		r.Variants = append(r.Variants, v)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("store: a record that cannot be written: %w", err)
	}
	if e.secret == nil {
		sum := sha256.Sum256(text)
		return slices.Concat(plainMagic, sum[:], text), nil
	}
	seal, err := sealer(e.secret, "record", e.id[:])
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce) // it cannot fail
	return seal.Seal(slices.Concat(sealedMagic, []byte(e.place.Comune+"\n"), nonce), nonce, text, e.id[:]), nil
}

// sealedFor is the comune whose key a record is sealed with.
func sealedFor(data []byte) (comune string, sealed bool) {
	rest, ok := bytes.CutPrefix(data, sealedMagic)
	if !ok {
		return "", false
	}
	line, _, ok := bytes.Cut(rest[:min(len(rest), 64)], []byte("\n"))
	return string(line), ok
}

// sealer is AES-256-GCM under a key that is made from a secret for one use.
func sealer(secret []byte, use string, salt []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(mac(secret, use, string(salt)))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// parse reads what encode wrote.
func (s *Store) parse(k key, data []byte) (*entry, error) {
	text, err := unseal(k.secret, k.id, data)
	if err != nil {
		return nil, err
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("record %x: %w", k.id, err)
	}
	k.address = r.Address
	e := &entry{key: k}
	if len(r.Variants) == 0 || len(r.Variants) > mostVariants {
		return nil, fmt.Errorf("record %x: %d answers", k.id, len(r.Variants))
	}
	for _, v := range r.Variants {
		o := &object{s: s, key: k, length: v.Length, head: &edge.Stored{
			Status: v.Status, Header: v.Header, Asked: v.Asked, Got: v.Got, Variant: v.Variant, Shared: v.Shared}}
		if o.head.Header == nil {
			o.head.Header = http.Header{}
		}
		for _, p := range v.Pieces {
			piece, err := parsePiece(p)
			if err != nil {
				return nil, fmt.Errorf("record %x: %w", k.id, err)
			}
			if v.Length >= 0 && piece.End() > v.Length {
				return nil, fmt.Errorf("record %x: a piece ends after %d", k.id, v.Length)
			}
			o.pieces = append(o.pieces, piece)
		}
		if v.Length < -1 || v.Status < 200 || v.Status > 599 {
			return nil, fmt.Errorf("record %x: length %d, status %d", k.id, v.Length, v.Status)
		}
		o.held = spans(o.pieces)
		e.all = append(e.all, o)
	}
	return e, nil
}

// unseal is the JSON in a record, if it is as it was written.
func unseal(secret []byte, i id, data []byte) ([]byte, error) {
	if len(data) > mostRecord {
		return nil, fmt.Errorf("record %x: %d bytes", i, len(data))
	}
	if text, ok := bytes.CutPrefix(data, plainMagic); ok && secret == nil && len(text) >= sha256.Size {
		if sum := sha256.Sum256(text[sha256.Size:]); !bytes.Equal(sum[:], text[:sha256.Size]) {
			return nil, fmt.Errorf("record %x: its checksum is another", i)
		}
		return text[sha256.Size:], nil
	}
	if rest, ok := bytes.CutPrefix(data, sealedMagic); ok && secret != nil {
		seal, err := sealer(secret, "record", i[:])
		if err != nil {
			return nil, err
		}
		if _, rest, ok = bytes.Cut(rest, []byte("\n")); !ok {
			return nil, fmt.Errorf("record %x: it is cut", i)
		}
		if len(rest) < seal.NonceSize() {
			return nil, fmt.Errorf("record %x: it is cut", i)
		}
		text, err := seal.Open(nil, rest[:seal.NonceSize()], rest[seal.NonceSize():], i[:])
		if err != nil {
			return nil, fmt.Errorf("record %x: it is not sealed with this key", i)
		}
		return text, nil
	}
	return nil, fmt.Errorf("record %x: it is no record of this place", i)
}

// piece is a span of a body that is one chunk, or the begin of one.
type piece struct {
	edge.Span
	chunk name
}

func parsePiece(s string) (p piece, err error) {
	var h string
	if _, err := fmt.Sscanf(s, "%d %d %s", &p.First, &p.Length, &h); err != nil {
		return p, fmt.Errorf("piece %q: %w", s, err)
	}
	b, err := hex.DecodeString(h)
	if err != nil || len(b) != len(p.chunk) || p.First < 0 || p.Length <= 0 || p.Length > chunkSize || p.First > 1<<62 {
		return p, fmt.Errorf("piece %q cannot be", s)
	}
	copy(p.chunk[:], b)
	return p, nil
}

// spans are what pieces hold, in order, none touching another.
func spans(all []piece) []edge.Span {
	if len(all) == 0 {
		return nil
	}
	out := make([]edge.Span, len(all))
	for i, p := range all {
		out[i] = p.Span
	}
	return edge.Joined(out)
}
