package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
)

// TestSocketFolderIsOurs: among the temporary files anybody can make the folder
// first. Neither server nor command uses one that is not of its user alone.
func TestSocketFolderIsOurs(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	data := filepath.Join(t.TempDir(), strings.Repeat("d", maxSocketPath))
	path, err := socketPath(data)
	if err != nil || filepath.Dir(filepath.Dir(path)) != os.TempDir() {
		t.Fatalf("%s: %v", path, err)
	}
	dir, elsewhere := filepath.Dir(path), t.TempDir()
	if err := ownSocketFolder(path); err != nil {
		t.Errorf("not there yet: %v", err)
	}
	for name, prepare := range map[string]func() error{
		"open to others": func() error { return os.Mkdir(dir, 0o755) },
		"a link":         func() error { return os.Symlink(elsewhere, dir) },
		"a file":         func() error { return os.WriteFile(dir, nil, 0o600) },
		"of another": func() error {
			if err := os.Mkdir(dir, 0o700); err != nil || os.Getuid() != 0 {
				return err
			}
			return os.Chown(dir, 65534, 65534)
		},
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		want := fault.Denied
		if name == "of another" && os.Getuid() != 0 { // only root can give it away
			want = 0
		}
		if err := ownSocketFolder(path); (want == 0) != (err == nil) || want != 0 && fault.Of(err) != want {
			t.Errorf("server, %s: %v", name, err)
		}
		if _, err := localClient(data); (want == 0) != (err == nil) || want != 0 && fault.Of(err) != want {
			t.Errorf("command, %s: %v", name, err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDataFolderOpenToAll: where everybody can write, the files in it are
// nobody's.
func TestDataFolderOpenToAll(t *testing.T) {
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]fault.Kind{0o777: fault.Denied, 0o755: 0} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		release, err := lockData(dir)
		if (err == nil) != (want == 0) || err != nil && fault.Of(err) != want {
			t.Errorf("%o: %v", mode, err)
		}
		if release != nil {
			release()
		}
	}
}
