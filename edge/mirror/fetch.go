package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// diskError is trouble with our own disk: it ends a run, since every further
// document would meet it, too.
type diskError struct{ err error }

func (e *diskError) Error() string { return "mirror disk: " + e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func onDisk(err error) error {
	if err == nil {
		return nil
	}
	return &diskError{err}
}

// fetch reads a document until it is whole and its checksums agree.
func (r *run) fetch(ctx context.Context, d edge.Document) (Entry, error) {
	var err error
	for range r.cfg.Tries {
		var e Entry
		if e, err = r.try(ctx, d); err == nil {
			return e, nil
		}
		var disk *diskError
		if errors.As(err, &disk) || ctx.Err() != nil {
			break
		}
		switch fault.Of(err) {
		case fault.NotFound, fault.Denied, fault.Conflict, fault.Invalid:
			return Entry{}, err // asking again would get the same
		}
	}
	return Entry{}, err
}

// partial is where the beginning of a document is kept for the next try. Only a
// version that has a name of its own (a strong ETag) can be gone on with.
func (r *run) partial(d edge.Document) (name string, keep bool) {
	h := sha256.Sum256([]byte(d.Path + "\x00" + d.ETag))
	return hex.EncodeToString(h[:]), len(d.ETag) > 2 && d.ETag[0] == '"'
}

func (r *run) try(ctx context.Context, d edge.Document) (Entry, error) {
	if err := r.repo.mkdir("partial"); err != nil {
		return Entry{}, onDisk(err)
	}
	name, keep := r.partial(d)
	flags := os.O_CREATE | os.O_RDWR
	if !keep {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(r.repo.path("partial", name), flags, 0o600)
	if err != nil {
		return Entry{}, onDisk(err)
	}
	defer f.Close()
	tally := edge.NewTally()
	offset, err := io.Copy(tally, f)
	if err != nil {
		return Entry{}, onDisk(err)
	}
	if d.Size >= 0 && offset > d.Size || offset > 0 && offset == d.Size {
		// Whole already, or wrong: a range from here on would be an error.
		offset, tally = 0, edge.NewTally()
		if err := errors.Join(f.Truncate(0), seek(f)); err != nil {
			return Entry{}, onDisk(err)
		}
	}
	meta, err := r.pull(ctx, d, offset, io.MultiWriter(&diskWriter{f}, tally))
	if err == nil {
		err = check(tally, d, meta)
	}
	if err != nil {
		if !keep || fault.Of(err) != fault.Unreachable {
			os.Remove(f.Name()) // what is wrong is not gone on with
		}
		return Entry{}, err
	}
	hash := tally.SHA256()
	if err := errors.Join(f.Sync(), r.repo.adopt(f.Name(), hash)); err != nil {
		return Entry{}, onDisk(err)
	}
	return Entry{Path: d.Path, Size: tally.Bytes(), Modified: d.Modified.UTC(), SHA256: hash, Groups: d.Groups, ETag: d.ETag, Fetched: r.cfg.Now().UTC().Truncate(time.Second)}, nil
}

func seek(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// check holds what came against what the listing and the answer promised.
func check(t *edge.Tally, listed, answered edge.Document) error {
	if err := t.Check(listed); err != nil {
		return err
	}
	return t.Check(answered)
}

// diskWriter marks errors of the disk apart from those of the source.
type diskWriter struct{ f *os.File }

func (w *diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	return n, onDisk(err)
}

// pull reads from the source at the pace that is allowed, and gives up when no
// byte comes for too long.
func (r *run) pull(ctx context.Context, d edge.Document, offset int64, to io.Writer) (edge.Document, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stalled := fault.New(fault.Unreachable, "document %q: no byte came for %s", d.Path, r.cfg.Stall)
	watch := time.AfterFunc(r.cfg.Stall, func() { stop(stalled) })
	defer watch.Stop()
	because := func(err error) error {
		if cause := context.Cause(ctx); cause == stalled {
			return stalled
		}
		return err
	}
	body, meta, err := r.deps.Source.Open(ctx, d, offset)
	if err != nil {
		return meta, because(err)
	}
	defer body.Close()
	// A read that does not know of ctx ends when its body is closed.
	defer context.AfterFunc(ctx, func() { body.Close() })()
	promised := max(d.Size, meta.Size)
	got := offset
	n := 0
	for buf := make([]byte, 64<<10); ; {
		watch.Stop() // what waits for its allowance does not stall
		if err := r.pace(ctx, n); err != nil {
			return meta, err
		}
		watch.Reset(r.cfg.Stall)
		n, err = body.Read(buf)
		r.rep.Bytes += int64(n)
		got += int64(n)
		if promised >= 0 && got > promised {
			return meta, fault.New(fault.Refused, "document %q: more than the %d bytes that were promised came", d.Path, promised)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return meta, err
		}
		switch {
		case err == io.EOF && promised >= 0 && got < promised:
			return meta, fault.New(fault.Unreachable, "document %q: %d bytes came where %d were promised", d.Path, got, promised)
		case err == io.EOF:
			return meta, nil
		case err != nil:
			return meta, because(fault.New(fault.Unreachable, "document %q: %w", d.Path, err))
		}
	}
}

// pace waits as long as the n bytes that were read take at the allowance of now,
// and until anything is allowed at all.
func (r *run) pace(ctx context.Context, n int) error {
	if r.deps.Limit == nil {
		return ctx.Err()
	}
	for {
		rate := r.deps.Limit.Allowance(ctx)
		wait := time.Second // nothing is allowed now: ask again
		if rate > 0 {
			wait = time.Duration(min(float64(n)/float64(rate), 60) * float64(time.Second))
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("mirror: %w", ctx.Err())
		case <-t.C:
		}
		if rate > 0 {
			return nil
		}
	}
}
