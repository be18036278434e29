package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// Entry is what the log is told; who, via and from are those of [By].
//
// A detail holds what changed, in words and numbers: never a secret, and no
// more about a person than the name of the account.
type Entry struct {
	Action string            // "change.apply": area and verb, [a-z0-9.-]
	Object string            // what it was done to, such as a device or an account; "" for none
	Detail map[string]string // nil for none
}

// Line is an entry as it stands in the log.
type Line struct {
	Seq    int64             `json:"seq"` // 1, 2, 3 … without gaps
	At     time.Time         `json:"at"`  // UTC, whole milliseconds
	Who    string            `json:"who"`
	Via    string            `json:"via"`
	From   string            `json:"from"`
	Action string            `json:"action"`
	Object string            `json:"object"`
	Detail map[string]string `json:"detail"` // never null
	Prev   string            `json:"prev"`   // hash of the line before; of the first line Start
	Hash   string            `json:"hash"`   // SHA-256 in hex over all of the above
}

// Start stands for the hash of the line before the first.
var Start = strings.Repeat("0", 2*sha256.Size)

// Sizes of what a line may hold. Longer texts are cut, with the mark " […]".
const (
	maxAction = 64
	maxText   = 512 // bytes of object, who, via, from, and of each detail
	maxDetail = 32  // pairs
	cutMark   = " […]"
)

// sum is the hash of a line: SHA-256 over a name and a version of the form,
// then every field as its length in eight bytes and its bytes, the pairs of
// the detail sorted by key after their number. Two different lines never give
// the same bytes.
func (l *Line) sum() string {
	h := sha256.New()
	h.Write([]byte("crinale audit line 1\n"))
	put(h, strconv.FormatInt(l.Seq, 10))
	put(h, strconv.FormatInt(l.At.UnixMilli(), 10))
	for _, s := range []string{l.Who, l.Via, l.From, l.Action, l.Object} {
		put(h, s)
	}
	put(h, strconv.Itoa(len(l.Detail)))
	for _, k := range slices.Sorted(maps.Keys(l.Detail)) {
		put(h, k)
		put(h, l.Detail[k])
	}
	put(h, l.Prev)
	return hex.EncodeToString(h.Sum(nil))
}

func put(h hash.Hash, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}

// check refuses an entry that no program should make.
func (e Entry) check() error {
	if e.Action == "" || len(e.Action) > maxAction || strings.Trim(e.Action, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return fault.New(fault.Internal, "write to the log: action %q: write area.verb in [a-z0-9.-]", e.Action)
	}
	if len(e.Detail) > maxDetail {
		return fault.New(fault.Internal, "write to the log: %s of %s: %d details; %d at most", e.Action, e.Object, len(e.Detail), maxDetail)
	}
	return nil
}

// line is the entry by its actor, at its place.
func (e Entry) line(a Actor, at time.Time, last Line) Line {
	l := Line{
		Seq: last.Seq + 1, At: at, Who: clean(a.Who), Via: clean(a.Via), From: clean(a.From),
		Action: e.Action, Object: clean(e.Object), Detail: make(map[string]string, len(e.Detail)), Prev: last.Hash,
	}
	for k, v := range e.Detail {
		l.Detail[clean(k)] = clean(v)
	}
	if l.about(nameless.MatchString) {
		l.From = ""
	}
	l.Hash = l.sum()
	return l
}

// nameless is an account of a resident (ADR 11). The log cannot be shortened, and a
// network address would tell for ever where somebody was who has been forgotten:
// lines by or about a resident keep none.
var nameless = regexp.MustCompile(`^r-[0-9a-z]{16}$`)

// about says whether the line names an account of a kind.
func (l *Line) about(kind func(string) bool) bool {
	if kind(l.Who) || kind(l.Object) {
		return true
	}
	for _, v := range l.Detail {
		if kind(v) {
			return true
		}
	}
	return false
}

// clean makes a text that every database and JSON hold unchanged: UTF-8,
// without NUL, of a bounded length.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	cut := maxText - len(cutMark)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + cutMark
}
