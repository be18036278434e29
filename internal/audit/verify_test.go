package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// tamper changes the log as somebody would who owns the database.
func tamper(t testing.TB, db *store.DB, statements ...string) {
	t.Helper()
	off := []string{`DROP TRIGGER IF EXISTS audit_line_no_update`, `DROP TRIGGER IF EXISTS audit_line_no_delete`}
	if db.Kind() == store.Postgres {
		off = []string{`ALTER TABLE audit_line DISABLE TRIGGER audit_line_guard`}
	}
	if err := execute(t.Context(), db, append(off, statements...)...); err != nil {
		t.Fatal(err)
	}
}

func execute(ctx context.Context, db *store.DB, statements ...string) error {
	return db.Do(ctx, func(tx *store.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

// swap exchanges all of two lines but their numbers.
const swap = `UPDATE audit_line SET (at, who, via, source, action, object, detail, prev, hash) =
	(SELECT at, who, via, source, action, object, detail, prev, hash FROM audit_line o WHERE o.seq = %[2]d + %[1]d - audit_line.seq)
	WHERE seq IN (%[1]d, %[2]d)`

func TestVerifyFindsTampering(t *testing.T) {
	cases := []struct {
		name string
		do   []string
		seq  int64
		kind string
	}{
		{"a flipped byte", []string{`UPDATE audit_line SET object = 'device-3' WHERE seq = 5`}, 5, audit.Changed},
		{"another time", []string{`UPDATE audit_line SET at = at + 1 WHERE seq = 5`}, 5, audit.Changed},
		{"another person", []string{`UPDATE audit_line SET who = 'viewer' WHERE seq = 1`}, 1, audit.Changed},
		{"bytes moved between fields", []string{`UPDATE audit_line SET who = 'tecnicas', via = 'ession' WHERE seq = 5`}, 5, audit.Changed},
		{"a detail", []string{`UPDATE audit_line SET detail = '{}' WHERE seq = 9`}, 9, audit.Changed},
		{"not a detail", []string{`UPDATE audit_line SET detail = 'null' WHERE seq = 9`}, 9, audit.Unreadable},
		{"a hash", []string{`UPDATE audit_line SET hash = prev WHERE seq = 5`}, 5, audit.Changed},
		{"a link", []string{`UPDATE audit_line SET prev = hash WHERE seq = 5`}, 5, audit.Changed},
		{"a removed line", []string{`DELETE FROM audit_line WHERE seq = 5`}, 5, audit.Missing},
		{"removed lines", []string{`DELETE FROM audit_line WHERE seq BETWEEN 5 AND 7`}, 5, audit.Missing},
		{"the first line", []string{`DELETE FROM audit_line WHERE seq = 1`}, 1, audit.Missing},
		{"removed and numbered anew", []string{`DELETE FROM audit_line WHERE seq = 10`, `UPDATE audit_line SET seq = 10 WHERE seq = 11`, `UPDATE audit_line SET seq = 11 WHERE seq = 12`}, 10, audit.OutOfOrder},
		{"a swapped pair", []string{fmt.Sprintf(swap, 5, 6)}, 5, audit.OutOfOrder},
		{"a pair swapped from afar", []string{fmt.Sprintf(swap, 4, 9)}, 4, audit.Changed},
		{"the end", []string{`DELETE FROM audit_line WHERE seq > 10`}, 11, audit.Cut},
		{"all of it", []string{`DELETE FROM audit_line`}, 1, audit.Cut},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				l := open(t, db, filepath.Join(t.TempDir(), "head"))
				fill(t, l, 12)
				if r := verify(t, l); !r.OK() || r.Lines != 12 {
					t.Fatalf("before: %+v", r)
				}
				tamper(t, db, c.do...)
				r := verify(t, l)
				if r.OK() || r.Problem.Seq != c.seq || r.Problem.Kind != c.kind || r.Seq != c.seq-1 {
					t.Fatalf("%+v %+v; want %s at %d", r, r.Problem, c.kind, c.seq)
				}
				if !strings.Contains(r.Problem.Text, fmt.Sprint(c.seq)) && c.kind != audit.Cut {
					t.Errorf("the text does not name the line: %s", r.Problem.Text)
				}
			})
		})
	}
}

// A log written anew from some line on, with all hashes right, is noticed by
// its anchor only.
func TestAnchorNoticesARewrittenLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		head := filepath.Join(t.TempDir(), "state", "head")
		l := open(t, db, head)
		fill(t, l, 5)
		tamper(t, db, `DELETE FROM audit_line WHERE seq > 3`)
		unanchored := open(t, db, "")
		fill(t, unanchored, 4)
		if r := verify(t, unanchored); !r.OK() {
			t.Fatalf("the forged chain should be whole by itself: %+v", r.Problem)
		}
		if r := verify(t, l); r.OK() || r.Problem.Seq != 5 || r.Problem.Kind != audit.Changed {
			t.Errorf("%+v", r.Problem)
		}
		// What comes later does not wipe out the evidence, nor does a new start.
		l = open(t, db, head)
		fill(t, l, 3)
		if r := verify(t, l); r.OK() || r.Problem.Seq != 5 {
			t.Errorf("after more lines: %+v", r.Problem)
		}
	})
}

func TestAnchorStaysWhenTheEndIsCutUnderUs(t *testing.T) {
	db := storetest.SQLite(t)
	l := open(t, db, filepath.Join(t.TempDir(), "head"))
	fill(t, l, 8)
	tamper(t, db, `DELETE FROM audit_line WHERE seq > 3`)
	fill(t, l, 2)
	if r := verify(t, l); r.OK() || r.Problem.Kind != audit.Cut || !strings.Contains(r.Problem.Text, "line 8") {
		t.Errorf("%+v", r.Problem)
	}
}

// The same while it runs, by somebody who then adds as many lines as they took.
func TestAnchorStaysWhenTheEndIsRewrittenUnderUs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, filepath.Join(t.TempDir(), "head"))
		fill(t, l, 5)
		tamper(t, db, `DELETE FROM audit_line WHERE seq > 3`)
		fill(t, open(t, db, ""), 4)
		fill(t, l, 2)
		if r := verify(t, l); r.OK() || r.Problem.Seq != 5 {
			t.Errorf("%+v", r.Problem)
		}
	})
}

// Lines by Add alone are anchored by Run.
func TestRunAnchors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, head := storetest.SQLite(t), filepath.Join(t.TempDir(), "head")
		l := open(t, db, head)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		err := db.Do(ctx, func(tx *store.Tx) error { return l.Add(ctx, tx, audit.Entry{Action: "test.step"}) })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second) // of the bubble
		synctest.Wait()
		if b, err := os.ReadFile(head); err != nil || !strings.Contains(string(b), `"seq":1`) {
			t.Errorf("%s, %v", b, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAnchorItself(t *testing.T) {
	db := storetest.SQLite(t)
	head := filepath.Join(t.TempDir(), "head")
	l := open(t, db, head)
	fill(t, l, 3)
	was, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "x", string(was[:100]), strings.Replace(string(was), `"seq":3`, `"seq":-3`, 1), strings.Replace(string(was), `"hash"`, `"hush"`, 1)} {
		if err := os.WriteFile(head, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, open(t, db, head)); r.OK() || r.Problem.Kind != audit.Damaged || r.Lines != 3 {
			t.Errorf("%q: %+v %+v", bad, r, r.Problem)
		}
	}
	if err := os.Remove(head); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, l); r.OK() || r.Problem.Kind != audit.Damaged || !strings.Contains(r.Problem.Text, "gone") {
		t.Errorf("%+v", r.Problem)
	}
	if r := verify(t, open(t, db, head)); !r.OK() {
		t.Errorf("a new anchor: %+v", r.Problem)
	}
	if st, err := os.Stat(head); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

func TestDatabaseRefusesChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		fill(t, l, 3)
		open(t, db, "") // a second start
		bad := []string{`UPDATE audit_line SET who = 'x' WHERE seq = 2`, `DELETE FROM audit_line WHERE seq = 2`}
		if db.Kind() == store.Postgres {
			bad = append(bad, `TRUNCATE audit_line`)
		} else {
			bad = append(bad, `INSERT OR REPLACE INTO audit_line SELECT seq, at, 'x', via, source, action, object, detail, prev, hash FROM audit_line WHERE seq = 2`)
		}
		for _, s := range bad {
			if err := execute(t.Context(), db, s); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", s, err)
			}
		}
		if r := verify(t, l); !r.OK() || r.Lines != 3 {
			t.Errorf("%+v", r)
		}
	})
}

func export(t testing.TB, l *audit.Log) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verifyLines(t testing.TB, b []byte) audit.Report {
	t.Helper()
	r, err := audit.VerifyLines(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		if r := verifyLines(t, export(t, l)); !r.OK() || r.Lines != 0 || r.Hash != "" {
			t.Errorf("empty: %+v", r)
		}
		fill(t, l, 6)
		whole := export(t, l)
		if r := verifyLines(t, whole); r != verify(t, l) || r.Lines != 6 {
			t.Errorf("%+v; the log itself %+v", r, verify(t, l))
		}
		for i := range whole { // every byte counts
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1
			if r := verifyLines(t, flipped); r.OK() && r.Lines == 6 {
				t.Fatalf("byte %d flipped and not found: %s", i, flipped)
			}
		}
		line := bytes.SplitAfter(whole, []byte("\n"))[:6]
		join := func(i ...int) []byte {
			var b []byte
			for _, n := range i {
				b = append(b, line[n-1]...)
			}
			return b
		}
		for _, c := range []struct {
			name string
			file []byte
			seq  int64
			kind string
		}{
			{"a removed line", join(1, 2, 4, 5, 6), 3, audit.Missing},
			{"removed lines", join(1, 5, 6), 2, audit.Missing},
			{"the first", join(2, 3), 1, audit.Missing},
			{"one before the last", join(1, 2, 3, 4, 6), 5, audit.Missing},
			{"a swapped pair", join(1, 2, 4, 3, 5, 6), 3, audit.OutOfOrder},
			{"a doubled line", join(1, 2, 2, 3), 3, audit.OutOfOrder},
			{"an empty line", append(join(1, 2), '\n'), 3, audit.Unreadable},
			{"a line ended as on Windows", bytes.Replace(join(1, 2), []byte("\n"), []byte("\r\n"), 1), 1, audit.Unreadable},
			{"spaces", bytes.Replace(join(1, 2), []byte(":"), []byte(": "), 1), 1, audit.Unreadable},
			{"a key twice", bytes.Replace(join(1), []byte(`"who":"tecnica"`), []byte(`"who":"x","who":"tecnica"`), 1), 1, audit.Unreadable},
			{"a foreign key", bytes.Replace(join(1), []byte(`"who"`), []byte(`"x":1,"who"`), 1), 1, audit.Unreadable},
			{"garbage after a gap", append(join(1, 3), "x\n"...), 2, audit.Missing},
			{"a line without end", append(join(1), bytes.Repeat([]byte("x"), 1<<19)...), 2, audit.Unreadable},
		} {
			if r := verifyLines(t, c.file); r.OK() || r.Problem.Seq != c.seq || r.Problem.Kind != c.kind {
				t.Errorf("%s: %+v; want %s at %d", c.name, r.Problem, c.kind, c.seq)
			}
		}
		// That the end is cut, an export alone cannot tell; its report says where it ends.
		if r := verifyLines(t, join(1, 2)); !r.OK() || r.Seq != 2 || r.Hash == verifyLines(t, whole).Hash {
			t.Errorf("%+v", r)
		}
	})
}

func FuzzVerifyLines(f *testing.F) {
	db := storetest.SQLite(f)
	l := open(f, db, "")
	fill(f, l, 3)
	whole := export(f, l)
	f.Add(whole)
	f.Add([]byte(""))
	f.Add([]byte("{}\n[]\nnull\n1"))
	f.Add(bytes.ReplaceAll(whole, []byte(`"seq":2`), []byte(`"seq":-9223372036854775808`)))
	f.Add(bytes.ReplaceAll(whole, []byte(`Z"`), []byte(`+23:59"`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := audit.VerifyLines(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err) // memory does not fail to be read
		}
		lines := int64(bytes.Count(b, []byte("\n")))
		if len(b) > 0 && b[len(b)-1] != '\n' {
			lines++
		}
		if r.OK() && (r.Lines != lines || r.Seq != lines) {
			t.Errorf("%d lines found right of %d", r.Lines, lines)
		}
		if !r.OK() && (r.Problem.Seq != r.Seq+1 || r.Problem.Text == "") {
			t.Errorf("%+v %+v", r, r.Problem)
		}
	})
}
