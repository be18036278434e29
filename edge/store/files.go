package store

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// files is what the store does with bodies and records on the disk. Tests put a
// disk there that fails.
type files interface {
	Create(path string) (file, error) // a new one, for reading and writing
	Open(path string) (file, error)
	Rename(from, to string) error
	Remove(path string) error
	Free(dir string) (int64, error) // bytes that may still be written
}

type file interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
}

// disk is the real one.
type disk struct{}

func (disk) Create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil { // a nil *os.File is not a nil file
		return nil, err
	}
	return f, nil
}

func (disk) Open(path string) (file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (disk) Remove(path string) error       { return os.Remove(path) }
func (disk) Free(dir string) (int64, error) { return free(dir) }

// Rename makes the folder that the file goes to when it is not there.
func (disk) Rename(from, to string) error {
	err := os.Rename(from, to)
	if os.IsNotExist(err) {
		if err = os.MkdirAll(filepath.Dir(to), 0o700); err == nil {
			err = os.Rename(from, to)
		}
	}
	return err
}

// slurp reads a file of at most so many bytes.
func slurp(fs files, path string, most int64) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > most {
		return nil, errRecord
	}
	b := make([]byte, st.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}

// syncPath waits until a file, or the names in a folder, are on the disk.
func syncPath(fs files, path string) error {
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
