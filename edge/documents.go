package edge

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// Document is a file of a comune as the place that holds it tells of it. Its
// path has slashes, no slash in front, and its bytes are kept as given: names
// that differ only in their Unicode form (NFC, NFD) are two documents.
type Document struct {
	Path     string
	Size     int64 // bytes; -1 where it is not known
	Modified time.Time
	ETag     string // as the source writes it, with quotes; "" where there is none
	Sum      Sum    // a checksum of the content that the source really gives
	Groups   []string
	Problem  string // why the source cannot give it; "" is no problem
}

// Sum is a checksum of a content. The zero Sum is none.
type Sum struct {
	Algo string // "sha256", "sha1", "md5"
	Hex  string // in small letters
}

// Source is a place that documents are read from. Its methods may be called
// from many goroutines.
type Source interface {
	// List gives every document once, in no order. After an error it ends, and
	// what was given is not the whole.
	List(ctx context.Context) iter.Seq2[Document, error]
	// Open reads a document from an offset on. With an ETag in doc it is that
	// version or an error of kind fault.Conflict. What comes back tells of the
	// whole document as it is now; Size and Sum may be better known than in List.
	Open(ctx context.Context, doc Document, offset int64) (io.ReadCloser, Document, error)
}

// Target is a place that documents are carried to.
type Target interface {
	// Names are the rules for paths of this place.
	Names() NameRules
	// Put writes a document whole or not at all, over one that is there. sha256 is
	// that of the content, in hexadecimal.
	Put(ctx context.Context, path string, size int64, sha256 string, body io.Reader) error
	// Open reads a document back; an error of kind fault.NotFound when there is
	// none.
	Open(ctx context.Context, doc Document, offset int64) (io.ReadCloser, Document, error)
}

// NameRules say which paths a target takes.
type NameRules struct {
	Path     int    // bytes of a path; 0: any
	Segment  int    // bytes between two slashes; 0: any
	Reserved string // characters that no name may have
	Windows  bool   // names of devices, and dots or spaces at the end, are refused
	FoldCase bool   // names that differ in case alone, or in Unicode form, are the same
}

// MaxPath is the longest path of a document that is taken, in bytes.
const MaxPath = 4096

// CheckPath says whether a path can be that of a document: UTF-8, relative,
// without empty parts, "." or "..", without NUL and backslash. The error names the
// path and is of kind fault.Invalid.
func CheckPath(path string) error {
	bad := func(why string) error {
		return fault.New(fault.Invalid, "document %.200q: %s: rename it at its source", path, why)
	}
	switch {
	case path == "":
		return bad("the name is empty")
	case len(path) > MaxPath:
		return bad("the path is longer than 4096 bytes")
	case !utf8.ValidString(path):
		return bad("the name is not UTF-8")
	case strings.ContainsRune(path, 0):
		return bad("the name holds a NUL")
	case strings.ContainsRune(path, '\\'):
		return bad("the name holds a backslash")
	case path[0] == '/':
		return bad("the path is absolute")
	}
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "":
			return bad("a part of the path is empty")
		case ".", "..":
			return bad("the path leads out of its folder")
		}
	}
	return nil
}

// Hit is a document that was found.
type Hit struct {
	Path     string
	Title    string
	Modified time.Time // at the source
	Fetched  time.Time // when this copy was read: say it to whoever reads the copy
	Stale    bool      // the source is known to have a newer version
	Snippet  string    // some of the text, plain; "" where there is none
	Note     string    // why only the name was searched; "" where the text was
}

// Listing is what lies in one folder.
type Listing struct {
	Folders   []string // names
	Documents []Hit
	More      bool // there are more documents than were asked for
}
