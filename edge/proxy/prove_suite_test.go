package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/rivaltest"
)

// counting is a program that counts what the suite found, in the suite's own
// words.
const counting = `
import fs from 'node:fs'
import suites from '%[1]s/tests/index.mjs'
import { determineTestResult, resultTypes } from '%[1]s/test-engine/lib/results.mjs'
const results = JSON.parse(fs.readFileSync('%[2]s'))
const count = { required: 0, optimal: 0, wrong: [] }
const all = { required: 0, optimal: 0 }
for (const t of suites.flatMap(s => s.tests)) {
  const kind = t.kind || 'required'
  if (t.browser_only || kind === 'check') continue
  all[kind]++
  if (determineTestResult(suites, t.id, results) === resultTypes.pass) count[kind]++
  else count.wrong.push(kind + ' ' + t.id + ': ' + JSON.stringify(results[t.id]))
}
console.log(JSON.stringify({ ...count, of: all }))
`

// conformance is what the suite counted.
type conformance struct {
	Required, Optimal int
	Wrong             []string
	Of                struct{ Required, Optimal int }
}

// TestProveCacheSuite runs the conformance suite of http-tests/cache-tests, in
// the folder SUITE with its packages installed, against the proxy in both
// profiles, and against each rival that is on this machine.
func TestProveCacheSuite(t *testing.T) {
	dir := os.Getenv("SUITE")
	if os.Getenv("PROVE") != "cache-suite" {
		t.Skip("run by make prove-cache-suite SUITE=DIR")
	}
	if _, err := exec.LookPath("node"); err != nil || dir == "" {
		t.Fatal("give SUITE=DIR, a checkout of http-tests/cache-tests after npm install, and have Node")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	origin := startSuite(t, dir)
	strict := runOurs(t, dir, origin, edge.Strict)
	safe := runOurs(t, dir, origin, edge.Safe)
	table := []string{row("crinale, strict profile", strict), row("crinale, safe profile", safe)}
	figure := fmt.Sprintf("of %d required and %d optional: strict profile %d and %d, safe profile %d and %d",
		strict.Of.Required, strict.Of.Optimal, strict.Required, strict.Optimal, safe.Required, safe.Optimal)
	for _, k := range rivaltest.Kinds {
		if why := k.Missing(); why != "" {
			table = append(table, fmt.Sprintf("| %-24s | %s", k.Name, why))
			continue
		}
		r := k.Start(t, origin.Host)
		c := runSuite(t, dir, r.URL)
		table = append(table, row(r.Name+" "+r.Version, c))
		figure += fmt.Sprintf("; %s %s %d and %d", r.Name, r.Version, c.Required, c.Optimal)
	}
	for profile, c := range map[string]conformance{"strict": strict, "safe": safe} {
		for _, w := range c.Wrong {
			t.Logf("%s: %s", profile, w)
		}
	}
	fmt.Printf("| %-24s | required | optional |\n| --- | --- | --- |\n%s\n", "cache", strings.Join(table, "\n"))
	if strict.Required < 160 || safe.Required < 159 || strict.Optimal < 97 {
		t.Error("fewer than 160 and 159 required, or than 97 optional")
	}
	t.Log(figure)
}

func row(name string, c conformance) string {
	return fmt.Sprintf("| %-24s | %8d | %8d |", name, c.Required, c.Optimal)
}

// startSuite starts the suite's origin on loopback.
func startSuite(t *testing.T, dir string) *url.URL {
	server, err := os.ReadFile(filepath.Join(dir, "test-engine/server/server.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	loopback := bytes.Replace(server, []byte("server.listen(port)"), []byte("server.listen(port, '127.0.0.1')"), 1)
	if bytes.Equal(loopback, server) {
		t.Fatal("the suite's origin does not listen as it did: is it the version that docs/proofs.md names?")
	}
	mine := filepath.Join(dir, "test-engine/server/loopback.mjs")
	if err := os.WriteFile(mine, loopback, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(mine) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	cmd := exec.Command("node", mine)
	cmd.Env = append(os.Environ(), "npm_config_protocol=http", fmt.Sprint("npm_config_port=", at.Port), "npm_config_pidfile="+filepath.Join(t.TempDir(), "pid"))
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for until := time.Now().Add(time.Minute); ; {
		c, err := net.Dial("tcp", at.String())
		if err == nil {
			c.Close()
			return &url.URL{Scheme: "http", Host: at.String()}
		}
		if time.Now().After(until) {
			t.Fatal("the suite's origin does not start")
		}
	}
}

// runOurs runs all tests against the proxy in one profile.
func runOurs(t *testing.T, dir string, origin *url.URL, profile edge.Profile) conformance {
	front := httptest.NewUnstartedServer(nil)
	rules := edge.DefaultRules()
	rules.Profile, rules.StaleIfError = profile, time.Hour
	cfg := Default()
	cfg.Services = []Service{{Host: front.Listener.Addr().String(), Origin: origin, Rules: rules}}
	p, err := New(cfg, Deps{Store: newMemory()})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = p
	front.Start()
	defer front.Close()
	return runSuite(t, dir, front.URL)
}

// runSuite runs all tests against a cache in front of the suite's origin.
func runSuite(t *testing.T, dir, base string) (c conformance) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cli := exec.CommandContext(ctx, "node", "--no-warnings", "test-engine/cli.mjs")
	cli.Dir = dir
	cli.Env = append(os.Environ(), "npm_config_base="+base, "npm_package_config_id=") // unset, it runs one test called undefined
	result, err := cli.Output()
	if err != nil {
		t.Fatalf("run the suite: %v", err)
	}
	work := t.TempDir()
	file, program := filepath.Join(work, "result.json"), filepath.Join(work, "count.mjs")
	for name, text := range map[string]string{file: string(result), program: fmt.Sprintf(counting, dir, file)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(ctx, "node", program).Output()
	if err != nil {
		t.Fatalf("count: %v", err)
	}
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&c); err != nil {
		t.Fatalf("count: %v: %s", err, out)
	}
	return c
}
