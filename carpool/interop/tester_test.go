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
		bin, script := buildTester(t, dir)
		said = tester(t, dir, bin, script) + testPortal(t, bin, script)
	}
	t.Logf("%d answers hold to the schemas, %d of %d planted wrong answers were caught; %s", answers, caught, planted, said)
}

// buildTester builds the standard's tester in its own folder, and gives its
// script of requests. Nothing of it is kept here.
func buildTester(t *testing.T, dir string) (bin, script string) {
	t.Helper()
	bin = filepath.Join(t.TempDir(), "pscovoit")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the tester: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "cmd/test/commands/testCommands.gen.sh"))
	if err != nil {
		t.Fatal(err)
	}
	return bin, string(text)
}

// tally is what a run of the tester came to. Its script ends well whatever
// happened, so each exit code and each line is counted.
type tally struct {
	requests, well, right, wrong int
	out                          string
}

func (c tally) String() string {
	return fmt.Sprintf("%d requests, %d exit codes 0, %d assertions right, %d wrong", c.requests, c.well, c.right, c.wrong)
}

// failed are the requests that did not end with exit code 0, by their names.
func (c tally) failed() (names []string) {
	for _, part := range strings.Split(c.out, "NAME ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		if strings.Count(rest, "EXIT ") != strings.Count(rest, "EXIT 0\n") {
			names = append(names, name)
		}
	}
	return names
}

// runTester sends the requests of a script to a server.
func runTester(t *testing.T, bin, script, server, key string) tally {
	t.Helper()
	text := strings.NewReplacer(`export SERVER="http://localhost:1323"`, `export SERVER="`+server+Prefix+`"`,
		`export API_TOKEN=""`, `export API_TOKEN="`+key+`"; run() { "`+bin+`" "$@"; echo "EXIT $?"; }`,
		"go run main.go test", "run test --verbose", "\necho \"", "\necho \"NAME ").Replace(script)
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
	return tally{count("EXIT "), count("EXIT 0\n"), count("OK ✅"), count("ERROR ❌"), out.String()}
}

// tester sends the tester's requests, word by word, to a server with the
// tester's own data.
func tester(t *testing.T, dir, bin, script string) (said string) {
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
		c := runTester(t, bin, script, srv.URL, w.key[friends])
		said += fmt.Sprintf("tester with its own data on %s: %v; ", db.Kind(), c)
		if c.requests != 88 || c.well != 88 || c.right != 488 || c.wrong != 0 {
			t.Errorf("want 88, 88, 488 and 0:\n%s", c.out)
		}
	})
	return said
}
