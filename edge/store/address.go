package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crinale/crinale/edge"
)

// The folders and files of a store.
const (
	chunkDir  = "chunks"
	recordDir = "records"
	tempDir   = "tmp"
	indexFile = "index.db"
)

// id names an address on the disk: of a sealed place it says nothing without the
// key.
type id [16]byte

// name names a chunk: the SHA-256 of what is in it, of a sealed place under its
// key.
type name [32]byte

// key is an address with whose it is.
type key struct {
	id
	address string
	place   Place
	secret  []byte // of the comune; nil where nothing is sealed
}

// keyOf is the key of an address; false where its place is sealed and the secret
// is gone: nothing can be found or kept there.
func (s *Store) keyOf(address string) (key, bool) {
	k := key{address: address, place: s.cfg.Place(address)}
	if k.place.Sealed {
		secret, ok := s.deps.Key(k.place.Comune)
		if !ok || len(secret) != 32 {
			return key{}, false
		}
		k.secret = secret
	}
	k.id = id(mac(k.secret, "address", address)[:16])
	return k, true
}

// mac is a name for a text that differs by its use and, with a secret, tells
// nothing of the text.
func mac(secret []byte, use, text string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(use + "\x00" + text))
	return h.Sum(nil)
}

// tagFields are fields by which origins and their gateways name what an answer
// is about.
var tagFields = []string{"Surrogate-Key", "Cache-Tag", "Xkey"}

// mostTags bounds the tags of an answer.
const mostTags = 128

// tagsOf are the names of the tags of an answer, within its service.
func (s *Store) tagsOf(k key, head *edge.Stored) []id {
	var out []id
	for _, t := range Tags(head.Header) {
		out = append(out, tagID(k.secret, k.place.Service, t))
	}
	return out
}

func tagID(secret []byte, service, tag string) id {
	return id(mac(secret, "tag", service+"\x00"+tag)[:16])
}

// Tags are those that an answer bears, each once.
func Tags(h http.Header) []string {
	var out []string
	for _, f := range tagFields {
		for _, line := range h[f] {
			for _, t := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
				if len(out) < mostTags && len(t) <= 256 && !slices.Contains(out, t) {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

func (s *Store) recordsPath() string { return filepath.Join(s.cfg.Dir, recordDir) }

func (s *Store) recordPath(i id) string {
	h := hex.EncodeToString(i[:])
	return filepath.Join(s.cfg.Dir, recordDir, h[:2], h)
}

func (s *Store) chunkPath(n name) string {
	h := hex.EncodeToString(n[:])
	return filepath.Join(s.cfg.Dir, chunkDir, h[:2], h)
}

// hexInto reads a name of as many bytes as into has.
func hexInto(into []byte, text string) bool {
	if len(text) != 2*len(into) {
		return false
	}
	_, err := hex.Decode(into, []byte(text))
	return err == nil
}
