package edge

import "io"

// Store keeps answers. Its methods may be called from many goroutines. Nothing
// in it may spoil an answer: an error only means that it is not kept, or not
// given.
type Store interface {
	// Find gives what is stored at an address, the newest first.
	Find(key string) []Object
	// Begin starts to keep an answer, or with o a further part of o; held is what
	// of the whole is going to be written, Length -1 where it is not known.
	Begin(key string, s *Stored, held Part, o Object) (Draft, error)
	// Freshen gives a stored answer another head.
	Freshen(o Object, s *Stored) (Object, error)
	// Delete forgets all that is stored at an address.
	Delete(key string)
}

// Object is a stored answer, or parts of one. What it holds can be read as long
// as it is open, also when it was deleted since.
type Object interface {
	Head() *Stored
	Length() int64 // of the whole body; -1 where it is not known
	Held() []Span  // in order, none touching another
	Open() (Body, error)
}

// Body is what an object holds, by its place in the whole.
type Body interface {
	io.ReaderAt
	io.Closer
}

// Sender is a Body that can put a span of itself on the way out in one go, as
// files are by sendfile. It returns how many bytes went.
type Sender interface {
	SendTo(w io.Writer, s Span) (int64, error)
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
