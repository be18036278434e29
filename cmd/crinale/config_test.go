package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultConfigIsCompleteAndValid(t *testing.T) {
	c, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Poll.EveryS != 10 || c.HTTP.Listen != "127.0.0.1:8080" || c.History.InfluxBucket == "" {
		t.Errorf("defaults were not read: %+v", c)
	}
}

func TestConfigErrorsNameFileLineAndMend(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"pol:\n  every_s: 5\n", "crinale.yaml:1: pol: "},
		{"data: x\npoll:\n  every_s: 0\n", "crinale.yaml:3: poll.every_s: 0 is out of range, write 1 to 3600"},
		{"http:\n  cert_file: c.pem\n", "crinale.yaml:2: http.cert_file: a certificate needs its key"},
		{"change:\n  hold_s: 5\n", "crinale.yaml:2: change.hold_s: 5 is out of range, write 10 to 3600"},
		{"http:\n  listen: 0.0.0.0:80\n", "crinale.yaml:2: http.listen: \"0.0.0.0:80\" can be reached by others"},
		{"http:\n  listen: here\n", "write HOST:PORT"},
		{"store:\n  url: postgres://u:secret@h/d\n", "move the URL into a file"},
		{"history:\n  raw_days: 30\n  minute_days: 3\n", "history.minute_days: 3 is out of range, write 30 to"},
		{"terrain_surface: trees\n", "write bare-earth, surface or unknown"},
	} {
		file := filepath.Join(t.TempDir(), "crinale.yaml")
		if err := os.WriteFile(file, []byte(c.yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(file)
		if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != exitFailed {
			t.Errorf("%q:\n got %v\nwant %q", c.yaml, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password stands in the error: %v", err)
		}
	}
}

func TestRelativePathsStartAtTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "crinale.yaml")
	if err := os.WriteFile(file, []byte("data: state\nterrain: [dem, /abs]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != filepath.Join(dir, "state") || c.Terrain[0] != filepath.Join(dir, "dem") || c.Terrain[1] != "/abs" {
		t.Errorf("data %q terrain %q", c.Data, c.Terrain)
	}
}

func TestSecretFileMustBeClosed(t *testing.T) {
	f := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(f, []byte("s3cret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret("history.influx_token_file", f); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("open file accepted: %v", err)
	}
	if err := os.Chmod(f, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := secret("x", f); err != nil || s != "s3cret" {
		t.Errorf("got %q, %v", s, err)
	}
}
