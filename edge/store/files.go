package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// temp is a new file that nobody finds.
func (s *Store) temp() (*os.File, error) {
	return os.CreateTemp(filepath.Join(s.cfg.Dir, tempDir), "")
}

// moveTo closes a file and gives it its path. It is not synced: what a power cut
// leaves half written is found by its checksum, and is a miss.
func (s *Store) moveTo(f *os.File, path string) error {
	err := f.Close()
	if err == nil {
		if err = os.Rename(f.Name(), path); os.IsNotExist(err) {
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				err = os.Rename(f.Name(), path)
			}
		}
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// writeFile replaces a file, whole or not at all.
func (s *Store) writeFile(path string, data []byte) error {
	f, err := s.temp()
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return err
	}
	return s.moveTo(f, path)
}

// clearTemp takes away what was being written when the last run ended.
func (s *Store) clearTemp() {
	dir := filepath.Join(s.cfg.Dir, tempDir)
	all, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range all {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > tempAge {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// tempAge is how old a file that is being written may be.
const tempAge = time.Hour

// free is how many bytes are left on the volume, looked at once a second.
type free struct {
	mu   sync.Mutex
	at   time.Time
	left int64
	err  error
}

func (f *free) bytes(dir string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.at) < time.Second && !f.at.IsZero() {
		return f.left, f.err
	}
	var st syscall.Statfs_t
	f.err = syscall.Statfs(dir, &st)
	f.left, f.at = int64(st.Bavail)*int64(st.Bsize), time.Now()
	return f.left, f.err
}

// each calls f for each file of a folder of two levels, by its hexadecimal name.
func each(dir string, f func(sub string, names []fs.DirEntry) error) error {
	subs, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if !sub.IsDir() {
			continue
		}
		names, err := os.ReadDir(filepath.Join(dir, sub.Name()))
		if err != nil {
			return err
		}
		if err := f(sub.Name(), names); err != nil {
			return err
		}
	}
	return nil
}
