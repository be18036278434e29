package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/crinale/crinale/edge"
)

// journal is what a run has brought so far, one JSON line for each document, so
// that a killed run is gone on with. It is only a hint: a line that is torn or
// lost makes a document be read again, and the manifest is what counts.
type journal struct {
	file *os.File
	all  map[string]line // by path
}

// line is a document as it was listed, and what was read of it.
type line struct {
	Listed edge.Document
	Read   Entry
}

func (r *Repo) openJournal() (*journal, error) {
	if err := r.mkdir("manifests"); err != nil {
		return nil, err
	}
	j := &journal{all: map[string]line{}}
	name := r.path("journal")
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for text := range bytes.Lines(data) {
		var l line
		if json.Unmarshal(text, &l) == nil && isHash(l.Read.SHA256) && l.Read.Path == l.Listed.Path {
			j.all[l.Read.Path] = l
		}
	}
	j.file, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil && len(data) > 0 && data[len(data)-1] != '\n' {
		_, err = j.file.WriteString("\n") // the torn line ends here
	}
	return j, err
}

// find is what was read of this very version.
func (j *journal) find(d edge.Document) (Entry, bool) {
	l, ok := j.all[d.Path]
	if !ok || l.Listed.ETag != d.ETag || l.Listed.Size != d.Size || !l.Listed.Modified.Equal(d.Modified) {
		return Entry{}, false
	}
	return l.Read, true
}

func (j *journal) add(d edge.Document, e Entry) error {
	data, err := json.Marshal(line{d, e})
	if err == nil {
		_, err = j.file.Write(append(data, '\n'))
	}
	return onDisk(err)
}

// done empties the journal: the manifest holds it all.
func (j *journal) done() error { return onDisk(j.file.Truncate(0)) }

func (j *journal) close() { j.file.Close() }
