package spine

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// bridge hands the server's log lines to slog. A line that repeats, such as
// that of a partner who tries to publish in a loop, is written once in a
// while with the count of those left out.
type bridge struct {
	log   *slog.Logger
	fatal chan error // the first fatal line
	names *names     // of clients in the lines

	mu   sync.Mutex
	seen map[string]*repeat
}

type repeat struct {
	last time.Time
	more int
}

const (
	quiet    = 30 * time.Second // between two lines of one kind
	maxKinds = 500
)

func newBridge(log *slog.Logger) *bridge {
	return &bridge{log: log, fatal: make(chan error, 1), names: newNames(""), seen: map[string]*repeat{}}
}

var (
	varies = regexp.MustCompile(`\d+|"[^"]*"`) // addresses, counts, names that others choose
	client = regexp.MustCompile(`\b[a-z]id:\d+`)
)

func (b *bridge) write(level slog.Level, format string, v []any) {
	text := b.names.clean(fmt.Sprintf(format, v...))
	if strings.HasPrefix(text, "Plaintext passwords detected") {
		return // the internal user's: see serverUsers
	}
	key := varies.ReplaceAllString(text, "")
	b.mu.Lock()
	r, known := b.seen[key]
	now := time.Now()
	if known && now.Sub(r.last) < quiet {
		r.more++
		b.mu.Unlock()
		return
	}
	if !known {
		if len(b.seen) >= maxKinds {
			clear(b.seen)
		}
		r = &repeat{}
		b.seen[key] = r
	}
	more := r.more
	r.last, r.more = now, 0
	b.mu.Unlock()
	args := []any{"line", text}
	if more > 0 {
		args = append(args, "alike_left_out", more)
	}
	b.log.Log(context.Background(), level, "message broker", args...)
}

func (b *bridge) Noticef(format string, v ...any) { b.write(slog.LevelDebug, format, v) }
func (b *bridge) Debugf(string, ...any)           {}
func (b *bridge) Tracef(string, ...any)           {}

// recovery are the server's warnings, after an end without farewell, that its
// index is older than the messages and is made again from them: nothing is
// lost, and nobody need act. Lines of blocks that are missing are not among
// them.
var recovery = []string{
	"Stream state outdated, ",
	"Recovering stream state from index errored: prior state file",
	"TTL state is outdated; attempting to recover ",
	"Message scheduling state is outdated; attempting to recover ",
	"Sourcing state is outdated; attempting to recover ",
}

func (b *bridge) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if rest, ok := strings.CutPrefix(fmt.Sprintf(format, v...), "Filestore ["); ok { // Filestore [NAME OF STREAM] …
		stream, what, _ := strings.Cut(rest, "] ")
		// The sessions of a block may all have ended before a kill: the block is
		// then gone, and rightly so, while the older index still names it.
		if stream == sessions && strings.HasPrefix(what, "Stream state detected prior state, could not locate msg block") {
			level = slog.LevelDebug
		}
		if slices.ContainsFunc(recovery, func(r string) bool { return strings.HasPrefix(what, r) }) {
			level = slog.LevelDebug
		}
	}
	b.write(level, format, v)
}

// Errorf is an error of the server, or, where the line names a client, only
// something that the client did.
func (b *bridge) Errorf(format string, v ...any) {
	level := slog.LevelError
	if line := fmt.Sprintf(format, v...); client.MatchString(line) {
		level = slog.LevelWarn
		b.names.hear(line)
	}
	b.write(level, format, v)
}

// refused is a line of the front about a client.
func (b *bridge) refused(format string, v ...any) { b.write(slog.LevelWarn, format, v) }

func (b *bridge) Fatalf(format string, v ...any) {
	err := fmt.Errorf(strings.ReplaceAll(format, "%w", "%v"), v...)
	for _, a := range v {
		if cause, ok := a.(error); ok {
			err = &fatal{err.Error(), cause}
			break
		}
	}
	select {
	case b.fatal <- err:
	default:
		b.log.Error("message broker", "line", err.Error())
	}
}

// fatal keeps the cause of a fatal line beside its text.
type fatal struct {
	text  string
	cause error
}

func (f *fatal) Error() string { return f.text }
func (f *fatal) Unwrap() error { return f.cause }
