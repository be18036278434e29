// Package remote reads documents from where they live and carries them there: a
// folder, a WebDAV server, an S3 bucket. It knows nothing of mirrors and
// migrations; cmd/crinale gives its clients to them as edge.Source and
// edge.Target.
package remote

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Groups says who may read a document. nil, or no group: nobody.
type Groups func(path string) []string

func (g Groups) of(path string) []string {
	if g == nil {
		return nil
	}
	return g(path)
}

// Folder reads documents of a folder, such as a mounted share. Links are never
// followed, and nothing outside of the folder is read.
type Folder struct {
	dir    string
	groups Groups
}

// NewFolder is a source; the folder is looked at when it is read.
func NewFolder(dir string, groups Groups) *Folder { return &Folder{dir, groups} }

// List walks the folder.
func (f *Folder) List(ctx context.Context) iter.Seq2[edge.Document, error] {
	return func(yield func(edge.Document, error) bool) {
		root, err := os.OpenRoot(f.dir)
		if err != nil {
			yield(edge.Document{}, fault.New(fault.Unreachable, "folder %s: %w", f.dir, err))
			return
		}
		defer root.Close()
		err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return fault.New(fault.Unreachable, "folder %s: %w", f.dir, err)
			}
			if d.IsDir() {
				return nil
			}
			doc := edge.Document{Path: path, Groups: f.groups.of(path)}
			info, err := d.Info()
			switch {
			case err != nil:
				doc.Problem = err.Error()
			case !info.Mode().IsRegular():
				doc.Problem = "it is a link or a device, not a file"
			default:
				f.fill(&doc, info)
			}
			if !yield(doc, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(edge.Document{}, err)
		}
	}
}

func (f *Folder) fill(doc *edge.Document, info fs.FileInfo) {
	doc.Size, doc.Modified = info.Size(), info.ModTime().UTC()
	doc.ETag = fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size())
}

// Open reads a file.
func (f *Folder) Open(_ context.Context, doc edge.Document, offset int64) (io.ReadCloser, edge.Document, error) {
	if err := edge.CheckPath(doc.Path); err != nil {
		return nil, doc, err
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, doc, fault.New(fault.Unreachable, "folder %s: %w", f.dir, err)
	}
	defer root.Close()
	file, err := root.Open(doc.Path)
	if err != nil {
		kind := fault.Unreachable
		if os.IsNotExist(err) {
			kind = fault.NotFound
		}
		return nil, doc, fault.New(kind, "document %q: %w", doc.Path, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.Invalid, "it is not a file")
	}
	want := doc.ETag
	if err == nil {
		if f.fill(&doc, info); want != "" && want != doc.ETag {
			err = fault.New(fault.Conflict, "it changed since it was listed")
		}
	}
	if err == nil {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, doc, fmt.Errorf("document %q: %w", doc.Path, err)
	}
	return file, doc, nil
}

var _ edge.Source = (*Folder)(nil)
