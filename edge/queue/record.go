package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Entry is a write as it is kept.
type Entry struct {
	Number  string      `json:"number"` // CARAVINO-2026-0042
	Comune  string      `json:"comune"`
	Service string      `json:"service"`
	Rule    string      `json:"rule"`
	Class   edge.Class  `json:"class"`
	Method  string      `json:"method"`
	Target  string      `json:"target"` // path and query, escaped
	Header  http.Header `json:"header,omitempty"`
	// With these it is sent, each time the same.
	IfMatch     string `json:"if_match,omitempty"`
	IfNoneMatch string `json:"if_none_match,omitempty"`
	Key         string `json:"key,omitempty"`
	Order       string `json:"order"`
	Source      string `json:"source,omitempty"`
	Sequence    uint64 `json:"sequence,omitempty"`
	// Chain is the SHA-256, in hex, over that of the source's event before it, its
	// sequence and its body.
	Chain    string      `json:"chain,omitempty"`
	Once     string      `json:"once,omitempty"`
	Person   edge.Person `json:"person"`
	Secret   []byte      `json:"secret,omitempty"` // sealed Authorization and Cookie
	SecretID string      `json:"secret_id,omitempty"`
	SeeOther bool        `json:"see_other,omitempty"`
	Body     Body        `json:"body"`
	Accepted time.Time   `json:"accepted"` // when its receipt was given
	Expires  time.Time   `json:"expires"`

	State  edge.State `json:"state"`
	Reason string     `json:"reason,omitempty"` // of the last transition
	// Status, Answer and the others are what the origin said last.
	Status   int     `json:"status,omitempty"`
	Answer   string  `json:"answer,omitempty"`   // the beginning of it
	Official string  `json:"official,omitempty"` // the number that it gave
	Location string  `json:"location,omitempty"`
	Theirs   *Theirs `json:"theirs,omitempty"` // of a conflict
	Keep     Keep    `json:"keep,omitempty"`   // what was chosen in a conflict

	Tries int `json:"tries,omitempty"`
	Busy  int `json:"busy,omitempty"`
	// Unsure says that it was sent, and whether the origin did it is not known.
	Unsure    bool      `json:"unsure,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	Place     uint64    `json:"place"` // in its line; greater is later
}

// Body is one that is kept in a file.
type Body struct {
	ID     string `json:"id,omitempty"` // of the file; "" when there is none any more
	Bytes  int64  `json:"bytes"`        // of what it holds
	SHA256 string `json:"sha256"`
	Sealed bool   `json:"sealed,omitempty"`
}

// Theirs is the version at the origin that ours is in conflict with.
type Theirs struct {
	Absent      bool   `json:"absent,omitempty"` // there is nothing any more
	ETag        string `json:"etag,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Modified    string `json:"modified,omitempty"`
	Body        Body   `json:"body"`
	// Partial says that it was too big, or could not be read: the origin has it.
	Partial bool `json:"partial,omitempty"`
}

// Event is one transition.
type Event struct {
	At     time.Time  `json:"at"`
	From   edge.State `json:"from,omitempty"`
	To     edge.State `json:"to"`
	Reason string     `json:"reason"`
	By     string     `json:"by,omitempty"` // the person who did it; "" for the queue
	Status int        `json:"status,omitempty"`
}

// A record on the disk is a byte that tells its form, the CRC-32C of what
// follows, and JSON: the database has no checksum over what it holds.
const recordForm = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return frame(data), nil
}

func frame(data []byte) []byte {
	out := make([]byte, 5, 5+len(data))
	out[0] = recordForm
	binary.BigEndian.PutUint32(out[1:], crc32.Checksum(data, castagnoli))
	return append(out, data...)
}

func decode(data []byte, into any) error {
	if len(data) < 5 || data[0] != recordForm || binary.BigEndian.Uint32(data[1:]) != crc32.Checksum(data[5:], castagnoli) {
		return fault.New(fault.Internal, "record of %d bytes: it is damaged: take the folder of the queue back from a copy", len(data))
	}
	d := json.NewDecoder(bytes.NewReader(data[5:]))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Internal, "record: %w", err)
	}
	return nil
}

// decodeEntry reads an entry and says what of it cannot be.
func decodeEntry(data []byte) (Entry, error) {
	var e Entry
	if err := decode(data, &e); err != nil {
		return Entry{}, err
	}
	bad := ""
	switch {
	case e.Number == "" || e.Comune == "" || e.Service == "" || e.Order == "":
		bad = "number, comune, service or order is not there"
	case !e.State.Known():
		bad = "state " + string(e.State) + " is none"
	case e.Method == "" || len(e.Target) == 0 || e.Target[0] != '/':
		bad = "method or target is not there"
	case !e.Body.ok() || e.Theirs != nil && !e.Theirs.Body.ok():
		bad = "its body is named by no number of ours"
	}
	if bad != "" {
		return Entry{}, fault.New(fault.Internal, "record of %q: %s", e.Number, bad)
	}
	return e, nil
}

// ok keeps a damaged record from naming a file elsewhere.
func (b Body) ok() bool {
	if b.ID == "" {
		return b.Bytes >= 0
	}
	id, err := hex.DecodeString(b.ID)
	return err == nil && len(id) == idBytes && b.Bytes >= 0
}
