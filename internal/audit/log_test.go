package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func open(t testing.TB, db *store.DB, head string) *audit.Log {
	t.Helper()
	l, err := audit.New(audit.Config{Head: head}, audit.Deps{Store: db})
	if err == nil {
		err = l.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func as(ctx context.Context, who string) context.Context {
	return audit.With(ctx, audit.Actor{Who: who, Via: "session", From: "192.0.2.7"})
}

func nothing(*store.Tx) error { return nil }

func fill(t testing.TB, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		e := audit.Entry{Action: "test.step", Object: fmt.Sprintf("device-%d", i%3), Detail: map[string]string{"n": fmt.Sprint(i), "name": "<Mombarcaro> \u2028 «è»"}}
		if err := l.Do(as(t.Context(), "tecnica"), e, nothing); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t testing.TB, l *audit.Log) audit.Report {
	t.Helper()
	r, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAddAndList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		ctx := as(t.Context(), "tecnica")
		err := db.Do(ctx, func(tx *store.Tx) error {
			return l.Add(ctx, tx, audit.Entry{Action: "change.apply", Object: "mombarcaro-nord", Detail: map[string]string{"freq_mhz": "5540"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Do(t.Context(), audit.Entry{Action: "change.fell-back", Object: "mombarcaro-nord"}, nothing); err != nil {
			t.Fatal(err)
		}
		lines, err := l.List(ctx, audit.Query{})
		if err != nil || len(lines) != 2 {
			t.Fatalf("%v, %v", lines, err)
		}
		newest, first := lines[0], lines[1]
		if first.Seq != 1 || first.Who != "tecnica" || first.Via != "session" || first.From != "192.0.2.7" || first.Prev != audit.Start || first.Detail["freq_mhz"] != "5540" {
			t.Errorf("first line %+v", first)
		}
		if newest.Seq != 2 || newest.Who != "program" || newest.Prev != first.Hash || newest.Detail == nil {
			t.Errorf("second line %+v", newest)
		}
		for q, want := range map[audit.Query]int{
			{Who: "program"}: 1, {Object: "mombarcaro-nord"}: 2, {Object: "other"}: 0, {Before: 2}: 1, {Limit: 1}: 1, {Who: "tecnica", Before: 1}: 0,
		} {
			if lines, err := l.List(ctx, q); err != nil || len(lines) != want {
				t.Errorf("%+v gives %d lines, %v; want %d", q, len(lines), err, want)
			}
		}
		if r := verify(t, l); !r.OK() || r.Lines != 2 || r.Hash != newest.Hash {
			t.Errorf("%+v", r)
		}
	})
}

func TestLineAndDeedStayTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		no := errors.New("the deed is refused")
		if err := l.Do(t.Context(), audit.Entry{Action: "test.step"}, func(*store.Tx) error { return no }); !errors.Is(err, no) {
			t.Errorf("%v", err)
		}
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			if err := l.Add(t.Context(), tx, audit.Entry{Action: "test.step"}); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Errorf("%v", err)
		}
		if r := verify(t, l); !r.OK() || r.Lines != 0 {
			t.Errorf("a line stayed without its deed: %+v", r)
		}
	})
}

// Many at once, some of them failing, some by Add in transactions of their
// own: the chain stays whole and holds exactly what was acknowledged.
func TestMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		var wg sync.WaitGroup
		no := errors.New("no")
		for i := range 60 {
			wg.Go(func() {
				ctx := as(t.Context(), fmt.Sprintf("tecnica-%d", i))
				e := audit.Entry{Action: "test.step", Object: fmt.Sprint(i)}
				switch i % 6 {
				case 0:
					if err := l.Do(ctx, e, func(*store.Tx) error { return no }); !errors.Is(err, no) {
						t.Errorf("%d: %v", i, err)
					}
				case 1: // an error of the database must not take the others with it
					if err := l.Tx(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, `SELECT nothing FROM nowhere`); return err }); err == nil {
						t.Errorf("%d: no error", i)
					}
				case 2:
					defer func() {
						if p := recover(); p != "oh" {
							t.Errorf("%d: panic %v", i, p)
						}
					}()
					l.Tx(ctx, func(*store.Tx) error { panic("oh") })
				case 4: // given up half-way, which breaks a connection of PostgreSQL
					ctx, cancel := context.WithCancel(ctx)
					err := l.Tx(ctx, func(tx *store.Tx) error {
						if err := l.Add(ctx, tx, e); err != nil {
							return err
						}
						cancel()
						_, err := tx.Exec(ctx, `SELECT count(*) FROM audit_line`)
						return err
					})
					if err == nil {
						t.Errorf("%d: no error", i)
					}
				case 3:
					if i > 20 { // a few only: these meet the others and are tried again
						return
					}
					if err := db.Do(ctx, func(tx *store.Tx) error { return l.Add(ctx, tx, e) }); err != nil {
						t.Errorf("%d: %v", i, err)
					}
				default:
					if err := l.Do(ctx, e, nothing); err != nil {
						t.Errorf("%d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
		if r := verify(t, l); !r.OK() || r.Lines != 10+3 {
			t.Errorf("%+v", r)
		}
	})
}

func TestWaitEndsWithContext(t *testing.T) {
	l := open(t, storetest.SQLite(t), "")
	begun, free := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- l.Tx(t.Context(), func(*store.Tx) error { close(begun); <-free; return nil })
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Do(ctx, audit.Entry{Action: "test.step"}, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(free)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if r := verify(t, l); !r.OK() || r.Lines != 0 {
		t.Errorf("what was given up was written: %+v", r)
	}
}

func TestWhatTheLogTakes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db, "")
		for _, action := range []string{"", "Change", "change apply", strings.Repeat("a", 65)} {
			if err := l.Do(t.Context(), audit.Entry{Action: action}, nothing); err == nil {
				t.Errorf("action %q taken", action)
			}
		}
		e := audit.Entry{Action: "test.step", Object: "a\x00b\xffc", Detail: map[string]string{"long": strings.Repeat("è", 1000)}}
		if err := l.Do(t.Context(), e, nothing); err != nil {
			t.Fatal(err)
		}
		lines, err := l.List(t.Context(), audit.Query{})
		if err != nil || len(lines) != 1 {
			t.Fatalf("%v, %v", lines, err)
		}
		if lines[0].Object != "a\uFFFDb\uFFFDc" || len(lines[0].Detail["long"]) > 512 || !strings.HasSuffix(lines[0].Detail["long"], "è […]") {
			t.Errorf("%+v", lines[0])
		}
		if r := verify(t, l); !r.OK() {
			t.Errorf("%+v", r)
		}
	})
}

// A disk that fills up: the deed and its line are refused together, what was
// acknowledged stays, and work goes on once there is room.
func TestFullDisk(t *testing.T) {
	db := storetest.SQLite(t)
	l := open(t, db, "")
	room := func(pages int) {
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(&pages)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	room(60)
	acked, err := int64(0), error(nil)
	for ; err == nil && acked < 10_000; acked++ {
		err = l.Do(t.Context(), audit.Entry{Action: "test.step", Object: strings.Repeat("o", 400)}, nothing)
	}
	if acked--; err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("%v", err)
	}
	if r := verify(t, l); !r.OK() || r.Lines != acked {
		t.Errorf("%d acknowledged; %+v", acked, r)
	}
	room(1 << 20)
	fill(t, l, 1)
	if r := verify(t, l); !r.OK() || r.Lines != acked+1 {
		t.Errorf("%d acknowledged; %+v", acked+1, r)
	}
}
