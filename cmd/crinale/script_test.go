package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv("PLAIN_HANDLER"); addr != "" {
		answerPlainly(addr)
	}
	testscript.Main(m, map[string]func(){
		"crinale": func() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the stories in testdata/script against the whole program,
// each in a folder of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("ALL", "#") // a bare # begins a comment in a script
			e.Values["jar"] = newJar()
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "mosquitto":
				_, err := exec.LookPath("mosquitto_sub")
				return err == nil, required("mosquitto_sub", err == nil)
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":    await,
			"status":   status,
			"json":     jsonAt,
			"get":      get,
			"hear":     hear,
			"say":      say,
			"mqttport": mqttPort,
			"goeson":   goesOn,
			"sameopen": sameOpen,
			"signin":   signin,
			"signout":  signout,
			"accept":   accept,
			"get403":   get403,
			"ask":      ask,
			"edit":     edit,
			"console":  console,

			"awaitwaiting": awaitWaiting,
		},
	})
}

// required is an error when all real parts are asked for and one is missing.
func required(what string, there bool) error {
	if !there && os.Getenv("CRINALE_REAL") == "all" {
		return fmt.Errorf("%s is missing, and CRINALE_REAL=all", what)
	}
	return nil
}

// await FILE waits until a file is there.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	path := ts.MkAbs(args[0])
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("%s did not appear within %v", args[0], patience)
		}
	}
}

// status CODE crinale ARGS… runs crinale in the foreground and wants this
// exit code; its output can then be matched.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND ARGS…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// json FILE PATH [NAME] reads a value of a JSON file (or stdout) by a dotted
// path and prints it into the environment variable NAME, or compares it when
// given as PATH=VALUE.
func jsonAt(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: json FILE PATH[=VALUE] [NAME]")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("json %s: %v", args[0], err)
	}
	path, want, compare := strings.Cut(args[1], "=")
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[key]; !ok {
				ts.Fatalf("json %s: no key %s in %s", args[0], key, path)
			}
		case []any:
			i := 0
			if key == "length" {
				v = float64(len(x))
				continue
			}
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(x) {
				ts.Fatalf("json %s: no element %s in %s", args[0], key, path)
			}
			v = x[i]
		default:
			ts.Fatalf("json %s: %s leads nowhere at %s", args[0], path, key)
		}
	}
	got := fmt.Sprint(v)
	if compare && (got == want) == neg {
		ts.Fatalf("json %s: %s is %s, want %s (negated: %v)", args[0], path, got, want, neg)
	}
	if len(args) > 2 {
		ts.Setenv(args[2], got)
	}
}

// get URL FILE stores a page, asked for with the script's cookies; the answer
// must be 200.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get URL FILE")
	}
	res, err := browserOf(ts).Get(args[0])
	if err != nil {
		ts.Fatalf("get: %v", err)
	}
	defer res.Body.Close()
	f, err := os.Create(filepath.Clean(ts.MkAbs(args[1])))
	if err != nil {
		ts.Fatalf("get: %v", err)
	}
	defer f.Close()
	if _, err := f.ReadFrom(res.Body); err != nil {
		ts.Fatalf("get: %v", err)
	}
	if res.StatusCode != 200 {
		ts.Fatalf("get %s: %s", args[0], res.Status)
	}
}
