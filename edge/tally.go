package edge

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/crinale/crinale/internal/fault"
)

// Tally is what was read of a document: how many bytes, and their checksums. It
// is an io.Writer that the bytes go through. The old checksums are only compared
// with what a source gives; what a document is known by is SHA-256.
type Tally struct {
	n    int64
	ours hash.Hash
	sums map[string]hash.Hash
}

// NewTally is an empty one.
func NewTally() *Tally {
	t := &Tally{ours: sha256.New()}
	t.sums = map[string]hash.Hash{"sha256": t.ours, "sha1": sha1.New(), "md5": md5.New()}
	return t
}

// Write counts p; it never fails.
func (t *Tally) Write(p []byte) (int, error) {
	t.n += int64(len(p))
	for _, h := range t.sums {
		h.Write(p)
	}
	return len(p), nil
}

// Bytes is how many were written.
func (t *Tally) Bytes() int64 { return t.n }

// SHA256 is the checksum of what was written, in hexadecimal.
func (t *Tally) SHA256() string { return hex.EncodeToString(t.ours.Sum(nil)) }

// Check holds what was written against what a source promised of a document.
func (t *Tally) Check(doc Document) error {
	if doc.Size >= 0 && doc.Size != t.n {
		return fault.New(fault.Refused, "document %q: %d bytes came where %d were promised", doc.Path, t.n, doc.Size)
	}
	if h := t.sums[doc.Sum.Algo]; h != nil {
		if got := hex.EncodeToString(h.Sum(nil)); got != doc.Sum.Hex {
			return fault.New(fault.Refused, "document %q: its %s is %s where its source says %s: it was changed or damaged on the way", doc.Path, doc.Sum.Algo, got, doc.Sum.Hex)
		}
	}
	return nil
}
