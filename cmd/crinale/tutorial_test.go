package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tutorials are the pages whose commands must work as written.
var tutorials = []string{"first-hour.md", "first-change.md"}

// hung is when a page is given up. It takes a minute; a machine that does
// other things at the same time may take several.
const hung = 6 * time.Minute

// passage is one thing of the page that the test does: a block of commands
// with what it should print, the end of the programs that run, or a look at
// the pages that a line of prose names.
//
// The words after ```sh say how the commands are meant: skip (not for a test),
// background (goes on until the next interrupt), again (ask until the answer
// is there), exit=N, needs=PROGRAM,PROGRAM.
type passage struct {
	line      int
	words     map[string]string
	script    string
	want      []string
	interrupt bool
	pages     []string
}

var pageURL = regexp.MustCompile(`<(http://127\.0\.0\.1:8080[^>]*)>`)

// passages reads the page.
func passages(t *testing.T, text string) []passage {
	t.Helper()
	var out []passage
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		info, fence := strings.CutPrefix(lines[i], "```")
		switch {
		case strings.Contains(lines[i], "<!-- interrupt -->"):
			out = append(out, passage{line: i + 1, interrupt: true})
			continue
		case !fence:
			var pages []string
			for _, m := range pageURL.FindAllStringSubmatch(lines[i], -1) {
				pages = append(pages, m[1])
			}
			if len(pages) > 0 {
				out = append(out, passage{line: i + 1, pages: pages})
			}
			continue
		}
		begin := i
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		if i == len(lines) {
			t.Fatalf("line %d: this block does not end", begin+1)
		}
		body := lines[begin+1 : i]
		words := strings.Fields(info)
		switch {
		case len(words) > 0 && words[0] == "sh":
			p := passage{line: begin + 1, words: map[string]string{}, script: strings.Join(body, "\n")}
			for _, w := range words[1:] {
				k, v, _ := strings.Cut(w, "=")
				p.words[k] = v
			}
			out = append(out, p)
		case info == "text" && len(out) > 0 && out[len(out)-1].script != "" && out[len(out)-1].want == nil:
			out[len(out)-1].want = body
		default:
			t.Fatalf("line %d: a block %q that is neither commands nor what they print", begin+1, info)
		}
	}
	return out
}

// TestTutorial runs each page as a reader would, with the built program on
// ports that are free, and wants what the page shows.
func TestTutorial(t *testing.T) {
	for _, page := range tutorials {
		t.Run(page, func(t *testing.T) { tutorial(t, page) })
	}
}

func tutorial(t *testing.T, name string) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: bash is not installed")
	}
	text, err := os.ReadFile(filepath.Join("../../docs/learn", name))
	if err != nil {
		t.Fatal(err)
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	web, mqtt := freePort(t), freePort(t)
	// The demo's ports are not on its command line: they are its defaults.
	page := strings.NewReplacer(
		"crinale demo ", "crinale demo --http 127.0.0.1:8080 --mqtt 127.0.0.1:1883 ",
	).Replace(string(text))
	ports := strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+web, "127.0.0.1:1883", "127.0.0.1:"+mqtt, "-p 1883", "-p "+mqtt)

	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	r := &reader{t: t, name: name, dir: t.TempDir(), path: filepath.Dir(bin) + ":" + os.Getenv("PATH"), ports: ports}
	defer r.interrupt()
	begun := time.Now()
	for _, p := range passages(t, page) {
		r.do(ctx, p)
		if t.Failed() {
			return
		}
	}
	r.interrupt()
	t.Logf("%s took %v", name, time.Since(begun).Round(time.Millisecond))
}

// freePort is a port that nobody listens on, below those that the system gives
// to whoever asks for any: the demo's own radios take hundreds of these.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return ""
}

// reader works through the page in a folder of its own.
type reader struct {
	t       *testing.T
	name    string // of the page
	dir     string
	path    string
	ports   *strings.Replacer
	running []*program
}

// program is a block that goes on in the background.
type program struct {
	cmd  *exec.Cmd
	line int
	out  *output
	done chan struct{}
}

// output gathers what a program prints while others read it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (r *reader) do(ctx context.Context, p passage) {
	_, skip := p.words["skip"]
	_, background := p.words["background"]
	_, again := p.words["again"]
	switch {
	case skip || r.lacks(p):
	case p.interrupt:
		r.interrupt()
	case len(p.pages) > 0:
		for _, u := range p.pages {
			r.look(ctx, p.line, r.ports.Replace(u))
		}
	case background:
		r.start(ctx, p)
	default:
		r.until(ctx, p.line, again, func() error { return r.once(ctx, p) })
	}
}

// lacks says, loudly, that a program that the block needs is not here.
func (r *reader) lacks(p passage) bool {
	for name := range strings.SplitSeq(p.words["needs"], ",") {
		if name == "" {
			continue
		}
		_, err := exec.LookPath(name)
		if err := required(name, err == nil); err != nil {
			r.t.Error(err)
			return true
		}
		if err != nil {
			r.t.Logf("SKIPPED, NOT TESTED: line %d: %s is not installed (make test-deps)", p.line, name)
			return true
		}
	}
	return false
}

// until does something once, or again and again until it works or time is up.
func (r *reader) until(ctx context.Context, line int, again bool, try func() error) {
	r.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		if again && ctx.Err() == nil {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
			}
		}
		r.t.Errorf("%s:%d: %v", r.name, line, err)
		for _, x := range r.running {
			r.t.Logf("%s:%d has printed:\n%s", r.name, x.line, x.out)
		}
		return
	}
}

// command is a block as a shell command. The shell stops at the first command
// that fails. The folder and the exported variables go on from block to block,
// as in one terminal.
func (r *reader) command(ctx context.Context, p passage, keep bool) *exec.Cmd {
	state := filepath.Join(r.dir, ".state")
	script := "set -eu -o pipefail\n[ ! -f " + state + " ] || . " + state + "\n"
	if keep {
		script += "trap '{ export -p; printf \"cd %q\\n\" \"$PWD\"; } >" + state + "' EXIT\n"
	} else {
		script += "exec "
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", script+r.ports.Replace(p.script))
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PATH="+r.path, "HOME="+r.dir)
	return cmd
}

func (r *reader) once(ctx context.Context, p passage) error {
	out, err := r.command(ctx, p, true).CombinedOutput()
	code, want := 0, 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return err
		}
		code = exit.ExitCode()
	}
	if w := p.words["exit"]; w != "" {
		if want, err = strconv.Atoi(w); err != nil {
			return err
		}
	}
	if code != want {
		return fmt.Errorf("exit code %d, want %d; it printed:\n%s", code, want, out)
	}
	return promised(string(out), r.ports.Replace(strings.Join(p.want, "\n")))
}

// start lets a block run on, and waits until it has printed what it should.
func (r *reader) start(ctx context.Context, p passage) {
	x := &program{cmd: r.command(context.Background(), p, false), line: p.line, out: &output{}, done: make(chan struct{})}
	x.cmd.Stdout, x.cmd.Stderr = x.out, x.out
	if err := x.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() { _ = x.cmd.Wait(); close(x.done) }()
	r.running = append(r.running, x)
	want := r.ports.Replace(strings.Join(p.want, "\n"))
	r.until(ctx, p.line, true, func() error {
		select {
		case <-x.done:
			if err := promised(x.out.String(), want); err == nil {
				return nil
			}
			r.t.Fatalf("%s:%d: the program ended:\n%s", r.name, p.line, x.out)
		default:
		}
		return promised(x.out.String(), want)
	})
}

// interrupt is Ctrl-C in every terminal; each program must end well by it.
func (r *reader) interrupt() {
	for _, x := range r.running {
		_ = x.cmd.Process.Signal(syscall.SIGINT) // it may have ended by itself
	}
	for _, x := range r.running {
		select {
		case <-x.done:
			if c := x.cmd.ProcessState.ExitCode(); c != 0 {
				r.t.Errorf("%s:%d: exit code %d after Ctrl-C:\n%s", r.name, x.line, c, x.out)
			}
		case <-time.After(patience):
			_ = x.cmd.Process.Kill()
			<-x.done
			r.t.Errorf("%s:%d: it did not end within %v of Ctrl-C:\n%s", r.name, x.line, patience, x.out)
		}
	}
	r.running = nil
}

// look opens a page.
func (r *reader) look(ctx context.Context, line int, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		r.t.Errorf("%s:%d: %v", r.name, line, err)
		return
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Errorf("%s:%d: %v", r.name, line, err)
		return
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		r.t.Errorf("%s:%d: %s: %s", r.name, line, url, res.Status)
	}
}

// promised wants each line of the page among the lines that were printed, in
// their order; others may stand between them. … stands for anything, and how
// many spaces there are does not count.
func promised(out, page string) error {
	plain := func(line string) string { return strings.Join(strings.Fields(line), " ") }
	printed := strings.Split(out, "\n")
	for want := range strings.SplitSeq(page, "\n") {
		if want = plain(want); want == "" {
			continue
		}
		parts := strings.Split(want, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		like := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		at := 0
		for at < len(printed) && !like.MatchString(plain(printed[at])) {
			at++
		}
		if at == len(printed) {
			return fmt.Errorf("the page shows\n\t%s\nbut it printed\n%s", want, out)
		}
		printed = printed[at+1:]
	}
	return nil
}

func TestPromised(t *testing.T) {
	out := "one\n  two (2)\nthree\n"
	for page, ok := range map[string]bool{
		"":             true,
		"one\nthree":   true,
		"t…(2)\nthree": true,
		"three\none":   false,
		"two":          false,
		"one\none":     false,
	} {
		if err := promised(out, page); (err == nil) != ok {
			t.Errorf("promised(%q): %v", page, err)
		}
	}
}
