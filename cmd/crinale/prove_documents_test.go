package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/crinale/crinale/edge/mirror"
	"github.com/crinale/crinale/edge/remote"
)

// officeDocuments writes n documents with the names that offices give, and gives
// their hashes by path.
func officeDocuments(t *testing.T, dir string, n int, seed uint64) map[string]string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	folders := []string{"albo pretorio", "Delibere 2026", "ufficio tecnico/strade", "Tributi (IMU)", "anagrafe/è così", "protocollo/in arrivo/2026"}
	names := []string{"verbale n. %d.txt", "Determina %d - àèìòù.odt", "%d.pdf", "foto %d (1).JPG", "prova%%20%d.csv", "delibera #%d & allegati.docx", "%d’uso.txt"}
	out := map[string]string{}
	for i := range n {
		p := folders[i%len(folders)] + "/" + fmt.Sprintf(names[i%len(names)], i)
		writeDocument(t, dir, p, documentBody(r, i), out)
	}
	return out
}

func documentBody(r *rand.Rand, i int) []byte {
	b := make([]byte, 200+r.IntN(6000))
	for k := range b {
		b[k] = "abcdefghilmnopqrstuvz      \n"[r.IntN(28)]
	}
	return append(fmt.Appendf(nil, "documento %d\n", i), b...)
}

func writeDocument(t *testing.T, dir, p string, body []byte, into map[string]string) {
	t.Helper()
	full := filepath.Join(dir, filepath.FromSlash(p))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, body, 0o600); err != nil {
		t.Fatal(err)
	}
	into[p] = fmt.Sprintf("%x", sha256.Sum256(body))
}

// hashesIn are the hashes of all files below a folder.
func hashesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameHashes(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d documents, want %d", what, len(got), len(want))
	}
	for p, h := range want {
		if got[p] != h {
			t.Errorf("%s: %q is another", what, p)
		}
	}
}

// TestProveDrill keeps N documents of two days, flips one byte of what is kept
// and deletes another piece: verify and drill name both, and yesterday at ten is
// had back as it was.
func TestProveDrill(t *testing.T) {
	if os.Getenv("PROVE") != "drill" {
		t.Skip("run by make prove-drill")
	}
	n, seed := number(t, "N", 10_000), number(t, "SEED", 1)
	src, repo := t.TempDir(), filepath.Join(t.TempDir(), "repo")
	yesterday := officeDocuments(t, src, n, uint64(seed))
	today := time.Now().UTC().Truncate(time.Second)
	clock := today.AddDate(0, 0, -1).Add(-3 * time.Hour)
	cfg := mirror.Default()
	cfg.Dir, cfg.Now = repo, func() time.Time { return clock }
	m, err := mirror.New(cfg, mirror.Deps{Source: remote.NewFolder(src, everyone("uffici"))})
	if err == nil {
		err = m.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if rep, err := m.Copy(t.Context()); err != nil || rep.Documents != n || len(rep.Waiting)+len(rep.Refused) != 0 {
		t.Fatalf("%+v %v", rep, err)
	}
	copied := time.Since(begun)
	at := clock.Add(time.Minute)

	// A day passes: documents change, come and go.
	r := rand.New(rand.NewPCG(uint64(seed), 10))
	newer := map[string]string{}
	i := 0
	for p, h := range yesterday {
		switch i++; {
		case i%10 == 0:
			if err := os.Remove(filepath.Join(src, filepath.FromSlash(p))); err != nil {
				t.Fatal(err)
			}
		case i%10 == 1:
			writeDocument(t, src, p, documentBody(r, -i), newer)
		default:
			newer[p] = h
		}
	}
	clock = today
	if rep, err := m.Copy(t.Context()); err != nil || rep.Documents != len(newer) {
		t.Fatalf("%+v %v, want %d", rep, err, len(newer))
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	verb := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(append([]string{"crinale", "edge"}, args...), &out, &errs); got != code {
			t.Fatalf("edge %v: %d, want %d: %s%s", args, got, code, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	key := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "drill.json")
	verb(0, "verify", "--repo", repo)
	whole := verb(0, "drill", "--repo", repo, "--comune", "Bergolo", "--key-file", key, "--report", report)
	if data, err := os.ReadFile(report); err != nil || !bytes.Contains(data, []byte(`"signature"`)) || !strings.Contains(whole, "non") {
		t.Errorf("%v %s", err, whole)
	}
	into := filepath.Join(t.TempDir(), "ieri")
	verb(0, "restore", "--repo", repo, "--at", at.Format(time.RFC3339), "--into", into)
	sameHashes(t, "yesterday", hashesIn(t, into), yesterday)

	// One byte flips, one piece is deleted: both are named by their documents.
	var objects []string
	err = filepath.WalkDir(filepath.Join(repo, "objects"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			objects = append(objects, path)
		}
		return err
	})
	if err != nil || len(objects) < n {
		t.Fatal(err, len(objects))
	}
	flipped, deleted := objects[r.IntN(len(objects)/2)], objects[len(objects)/2+r.IntN(len(objects)/2)]
	data, err := os.ReadFile(flipped)
	if err != nil {
		t.Fatal(err)
	}
	data[r.IntN(len(data))] ^= 1 << r.IntN(8)
	if err := errors.Join(os.Chmod(flipped, 0o600), os.WriteFile(flipped, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(deleted); err != nil {
		t.Fatal(err)
	}
	var v mirror.Verified
	says := verb(1, "verify", "--repo", repo, "--json")
	if err := json.NewDecoder(strings.NewReader(says)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, d := range v.Damage {
		if len(d.Used) == 0 {
			t.Errorf("%s is named without a document", d.Object)
		}
		named[d.Object] = d.What
	}
	if len(v.Damage) != 2 || named[filepath.Base(flipped)] != "flipped" || named[filepath.Base(deleted)] != "missing" {
		t.Errorf("%v, want %s flipped and %s missing", named, filepath.Base(flipped), filepath.Base(deleted))
	}
	t.Logf("%d documents, seed %d: copied in %.1f s, yesterday had back equal, the flipped byte and the deleted piece both named with their documents", n, seed, copied.Seconds())
}

// TestProveMigrate carries N documents to a WebDAV server by a program that is
// killed ten times, while documents change, and reads every one back.
func TestProveMigrate(t *testing.T) {
	if os.Getenv("PROVE") != "migrate" {
		t.Skip("run by make prove-migrate")
	}
	n, seed := number(t, "N", 5000), number(t, "SEED", 1)
	r := rand.New(rand.NewPCG(uint64(seed), 3))
	src, there, journal := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "journal")
	want := officeDocuments(t, src, n, uint64(seed))
	server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(there), LockSystem: webdav.NewMemLS()})
	defer server.Close()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	to := strings.Replace(server.URL, "http://", "http://anna@", 1) + "/"
	args := []string{"edge", "migrate", "run", "--from", src, "--to", to, "--journal", journal, "--json"}
	kills := 0
	for kills < 10 {
		c := exec.Command(bin, args...)
		c.Env = append(os.Environ(), "CRINALE_TO_SECRET=x")
		done := make(chan error, 1)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { done <- c.Wait() }()
		select {
		case <-time.After(time.Duration(100+r.IntN(700)) * time.Millisecond):
			_ = c.Process.Kill()
			<-done
			kills++
		case err := <-done: // it was quicker: let it have more to do
			if err != nil {
				t.Fatalf("a run failed: %v", err)
			}
			kills++
		}
		for p := range want {
			writeDocument(t, src, p, documentBody(r, kills), want)
			break
		}
	}
	var out migrationRun
	for range 3 {
		c := exec.Command(bin, args...)
		c.Env = append(os.Environ(), "CRINALE_TO_SECRET=x")
		text, err := c.Output()
		if err != nil || json.Unmarshal(text, &out) != nil {
			t.Fatalf("%v %s", err, text)
		}
		if out.Copied == 0 {
			break
		}
	}
	t.Setenv("CRINALE_TO_SECRET", "x")
	report := filepath.Join(t.TempDir(), "report.json")
	var so, se bytes.Buffer
	if code := run([]string{"crinale", "edge", "migrate", "verify", "--from", src, "--to", to, "--journal", journal, "--report", report}, &so, &se); code != 0 {
		t.Fatalf("verify: %d %s %s", code, so.String(), se.String())
	}
	var rep struct {
		Documents []struct{ Path, To, SHA256 string }
		Right     bool
	}
	data, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(data, &rep)
	}
	if err != nil || !rep.Right || len(rep.Documents) != n {
		t.Fatalf("%v, right %v, %d documents", err, rep.Right, len(rep.Documents))
	}
	got := hashesIn(t, there)
	for _, d := range rep.Documents {
		if d.SHA256 != want[d.Path] || got[d.To] != want[d.Path] {
			t.Errorf("%q at %q is another", d.Path, d.To)
		}
	}
	if len(got) != n {
		t.Errorf("%d files are at the target, %d documents were carried", len(got), n)
	}
	t.Logf("%d documents, seed %d: killed %d times, every checksum equal at the end", n, seed, kills)
}
