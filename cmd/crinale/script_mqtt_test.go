package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
)

// mqttport FILE NAME puts the port of demo.json's MQTT URL into NAME.
func mqttPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mqttport FILE NAME")
	}
	var f demoFile
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &f); err != nil {
		ts.Fatalf("mqttport: %v", err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(f.MQTT, "tcp://"))
	if err != nil {
		ts.Fatalf("mqttport: %v", err)
	}
	ts.Setenv(args[1], port)
}

// hear USER PASSWORD TOPIC FILE REGEXP… subscribes with mosquitto_sub until
// a line "topic payload" matched each expression, 15 s at most, and stores
// what came. Negated it listens for 3 s, and nothing may match.
func hear(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 5 {
		ts.Fatalf("usage: hear USER PASSWORD TOPIC FILE REGEXP…")
	}
	limit := 15 * slowness * time.Second
	if neg {
		limit = 3 * time.Second
	}
	var want []*regexp.Regexp
	for _, e := range args[4:] {
		want = append(want, regexp.MustCompile(e))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mosquitto_sub", "-h", "127.0.0.1", "-p", ts.Getenv("PORT"),
		"-u", args[0], "-P", args[1], "-t", args[2], "-q", "1", "-F", "%t %p")
	out, err := cmd.StdoutPipe()
	if err != nil {
		ts.Fatalf("hear: %v", err)
	}
	if err := cmd.Start(); err != nil {
		ts.Fatalf("hear: %v", err)
	}
	var all strings.Builder
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	for len(want) > 0 && sc.Scan() {
		all.WriteString(sc.Text() + "\n")
		for i := 0; i < len(want); i++ {
			if want[i].MatchString(sc.Text()) {
				if neg {
					ts.Fatalf("heard what must not be heard: %s", sc.Text())
				}
				want = append(want[:i], want[i+1:]...)
				i--
			}
		}
	}
	cancel()
	_ = cmd.Wait() // ended by us, by the limit, or refused by the broker
	if err := os.WriteFile(ts.MkAbs(args[3]), []byte(all.String()), 0o600); err != nil {
		ts.Fatalf("hear: %v", err)
	}
	if !neg && len(want) > 0 {
		ts.Fatalf("within %v nothing matched %v; heard:\n%s", limit, want, all.String())
	}
}

// say USER PASSWORD TOPIC TEXT publishes retained with mosquitto_pub. Whether
// the broker lets it through is for others to hear.
func say(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: say USER PASSWORD TOPIC TEXT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = exec.CommandContext(ctx, "mosquitto_pub", "-h", "127.0.0.1", "-p", ts.Getenv("PORT"),
		"-u", args[0], "-P", args[1], "-t", args[2], "-r", "-q", "1", "-m", args[3]).Run()
}

func readAlerts(ts *testscript.TestScript, file string) []controller.Alert {
	var f struct{ Alerts []controller.Alert }
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &f); err != nil {
		ts.Fatalf("%s: %v", file, err)
	}
	return f.Alerts
}

// goeson ALERTS HISTORY wants readings in the history that are older than the
// process that answers: from before the alert of the first run was opened,
// or within the seconds after it.
func goesOn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: goeson ALERTS HISTORY")
	}
	var r page.Readings
	if err := json.Unmarshal([]byte(ts.ReadFile(args[1])), &r); err != nil {
		ts.Fatalf("goeson: %v", err)
	}
	as := readAlerts(ts, args[0])
	if len(as) == 0 {
		ts.Fatalf("goeson: no alert in %s", args[0])
	}
	n := 0
	for _, x := range append(r.A, r.B...) {
		if !x.At.After(as[0].Opened) {
			n++
		}
	}
	if n == 0 {
		ts.Fatalf("no reading of the first run is left: of %d none is from before %v", len(r.A)+len(r.B), as[0].Opened)
	}
}

// sameopen FILE1 FILE2 KIND wants the alert of a kind in both lists, with the
// same name and beginning.
func sameOpen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sameopen FILE1 FILE2 KIND")
	}
	for _, a := range readAlerts(ts, args[0]) {
		if string(a.Kind) != args[2] {
			continue
		}
		for _, b := range readAlerts(ts, args[1]) {
			if a.ID == b.ID && a.Opened.Equal(b.Opened) {
				return
			}
		}
		ts.Fatalf("alert %s of the first run is not open in the second", a.ID)
	}
	ts.Fatalf("no alert of kind %s in %s", args[2], args[0])
}
