package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/testdata"
)

// roadsVerb runs a verb of the roads and gives what it printed.
func roadsVerb(args ...string) (string, error) {
	var out bytes.Buffer
	app := &cli.App{Name: "crinale", Writer: &out, ErrWriter: &bytes.Buffer{}, ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{carpoolRoadsCommand()}}
	ordered, err := arrange(app, append([]string{"crinale", "roads"}, args...))
	if err == nil {
		err = app.Run(ordered)
	}
	return out.String(), err
}

func TestRoadsImportInfoCheck(t *testing.T) {
	dir := t.TempDir()
	extract, flat, hilly := testdata.Shared(t, "data/roads/andorra.osm.pbf"), filepath.Join(dir, "flat"), filepath.Join(dir, "hilly")
	if out, err := roadsVerb("import", extract, "--out", flat); err != nil || !strings.Contains(out, "not read: turn restrictions") {
		t.Fatalf("import: %s, %v", out, err)
	}
	out, err := roadsVerb("import", extract, "--out", hilly, "--heights", testdata.Shared(t, "data/dem/andorra_srtm3"), "--source", "Andorra, 2013", "--json")
	if err != nil || !strings.Contains(out, "Andorra, 2013; © OpenStreetMap contributors") {
		t.Fatalf("import with heights: %s, %v", out, err)
	}
	if out, err = roadsVerb("info", flat, "--json"); err != nil {
		t.Fatal(err)
	}
	var info struct {
		About struct{ Nodes int }
		Facts struct{ Km float64 }
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil || info.About.Nodes < 1500 || info.Facts.Km < 380 {
		t.Errorf("info: %s, %v", out, err)
	}
	for _, f := range []string{flat, hilly} {
		if out, err := roadsVerb("check", f, "--pairs", "200", "--seed", "3"); err != nil || !strings.HasPrefix(out, "200 of 200 ways equal") {
			t.Errorf("check %s: %s, %v", f, out, err)
		}
	}
	a, err1 := os.ReadFile(flat)
	b, err2 := os.ReadFile(hilly)
	if err1 != nil || err2 != nil || bytes.Equal(a, b) {
		t.Errorf("heights changed nothing: %v, %v", err1, err2)
	}
	a[len(a)/2]++
	if err := os.WriteFile(flat, a, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{"checksum", exitFailed, []string{"info", flat}},
		{"checksum", exitFailed, []string{"check", flat}},
		{"not one", exitFailed, []string{"check", extract}},
		{"no such file", exitFailed, []string{"info", filepath.Join(dir, "none")}},
		{"no PBF file", exitFailed, []string{"import", hilly, "--out", filepath.Join(dir, "x")}},
		{"no such file", exitFailed, []string{"import", filepath.Join(dir, "none"), "--out", filepath.Join(dir, "x")}},
		{"--out", exitUsage, []string{"import", extract}},
		{"takes one FILE", exitUsage, []string{"info"}},
		{"--pairs 0", exitUsage, []string{"check", hilly, "--pairs", "0"}},
	} {
		if _, err := roadsVerb(c.args...); exitCode(err) != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v (exit %d), want %s (exit %d)", c.args, err, exitCode(err), c.want, c.code)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a failed import left a file")
	}
}
