package interop

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestProveInterop holds the API against the standard: make prove-interop.
// Answers of every operation against its schemas, planted wrong answers that
// must be caught, and, where PSCOVOIT is the folder of
// fabmob/playground-standard-covoiturage at eb829ba, the standard's own tester.
func TestProveInterop(t *testing.T) {
	dir := os.Getenv("PSCOVOIT")
	if dir == "" && os.Getenv("PROVE") == "" {
		t.Skip("SKIPPED, NOT TESTED: make prove-interop, with PSCOVOIT=DIR of fabmob/playground-standard-covoiturage for its tester")
	}
	answers := conform(t)
	caught, planted := plants(t)
	said := "the standard's tester was NOT run: set PSCOVOIT to its folder"
	if dir != "" {
		said = tester(t, dir)
	}
	t.Logf("%d answers hold to the schemas, %d of %d planted wrong answers were caught; %s", answers, caught, planted, said)
}

// tester runs the standard's tester. Nothing of it is kept here: its client is
// built there and sends the requests of its own script to a server with its
// own data. Its script ends well whatever happened, so each exit code and each
// line is counted.
func tester(t *testing.T, dir string) (said string) {
	bin := filepath.Join(t.TempDir(), "pscovoit")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the tester: %v\n%s", err, out)
	}
	script, err := os.ReadFile(filepath.Join(dir, "cmd/test/commands/testCommands.gen.sh"))
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		data, err := os.Open(filepath.Join(dir, "cmd/service/db/data/testData.gen.json"))
		if err != nil {
			t.Fatal(err)
		}
		defer data.Close()
		fixtures, err := ReadFixtures(data)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, db, fixtures, nil)
		if err := fixtures.Put(t.Context(), w.Server, friends); err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(w.Handler())
		defer srv.Close()
		text := strings.NewReplacer(`export SERVER="http://localhost:1323"`, `export SERVER="`+srv.URL+Prefix+`"`,
			`export API_TOKEN=""`, `export API_TOKEN="`+w.key[friends]+`"; run() { "`+bin+`" "$@"; echo "EXIT $?"; }`,
			"go run main.go test", "run test --verbose").Replace(string(script))
		file := filepath.Join(t.TempDir(), "requests.sh") // not on its standard input, which the client reads
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "bash", file)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("run the tester: %v\n%s", err, out.String())
		}
		count := func(word string) int { return strings.Count(out.String(), word) }
		requests, well, right, wrong := count("EXIT "), count("EXIT 0\n"), count("OK ✅"), count("ERROR ❌")
		said += fmt.Sprintf("tester on %s: %d requests, %d exit codes 0, %d of 488 assertions right, %d wrong; ", db.Kind(), requests, well, right, wrong)
		if requests != 88 || well != 88 || right != 488 || wrong != 0 {
			t.Errorf("want 88, 88, 488 and 0:\n%s", out.String())
		}
	})
	return said
}
