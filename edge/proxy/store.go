package proxy

import (
	"io"

	"github.com/crinale/crinale/edge"
)

// Store keeps answers. Its methods may be called from many goroutines.
type Store interface {
	// Find gives what is stored at an address, the newest first.
	Find(key string) []Object
	// Begin starts to keep an answer, or with o a further part of o; held is what
	// of the whole is going to be written, Length -1 where it is not known. An
	// error only means that it is not kept.
	Begin(key string, s *edge.Stored, held edge.Part, o Object) (Draft, error)
	// Freshen gives a stored answer another head.
	Freshen(o Object, s *edge.Stored) (Object, error)
	// Delete forgets all that is stored at an address.
	Delete(key string)
}

// Object is a stored answer, or parts of one. What it holds can be read as long
// as it is open, also when it was deleted since.
type Object interface {
	Head() *edge.Stored
	Length() int64     // of the whole body; -1 where it is not known
	Held() []edge.Span // in order, none touching another
	Open() (Body, error)
}

// Body is what an object holds, by its place in the whole.
type Body interface {
	io.ReaderAt
	io.Closer
}

// Draft is an answer that is being kept. What was written can be read at once.
type Draft interface {
	io.Writer
	io.ReaderAt // by the place in the whole
	// Commit makes it an object; length is that of the whole, -1 if not known.
	Commit(length int64) (Object, error)
	// Abort forgets it; after Commit it only lets go.
	Abort()
}
