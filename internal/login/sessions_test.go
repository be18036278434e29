package login_test

import (
	"bytes"
	"encoding/gob"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// sessionOf is the data of a session as the gob codec of scs writes it.
func sessionOf(t testing.TB, deadline time.Time, values map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(&struct {
		Deadline time.Time
		Values   map[string]any
	}{deadline, values})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func commit(t testing.TB, w *world, token, person string) {
	t.Helper()
	b := sessionOf(t, w.now.Add(12*time.Hour), map[string]any{login.SessionPerson: person, login.SessionFrom: "192.0.2.10", login.SessionAgent: "Firefox", "lang": "it"})
	if err := w.CommitCtx(t.Context(), token, b, w.now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
}

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		if _, found, err := w.FindCtx(ctx, "nothing"); found || err != nil {
			t.Errorf("%v, %v", found, err)
		}
		commit(t, w, "before", "") // not signed in yet
		commit(t, w, "one", "anna")
		w.now = w.now.Add(time.Minute)
		commit(t, w, "two", "anna")
		b, found, err := w.FindCtx(ctx, "one")
		if err != nil || !found || !bytes.Contains(b, []byte("Firefox")) {
			t.Errorf("%q, %v, %v", b, found, err)
		}
		list, err := w.SessionsOf(ctx, "anna")
		if err != nil || len(list) != 2 || list[0].ID != login.SessionID("two") || list[1].ID != login.SessionID("one") || list[0].From != "192.0.2.10" || list[0].Agent != "Firefox" {
			t.Fatalf("%+v, %v", list, err)
		}
		if none, err := w.SessionsOf(ctx, ""); err != nil || len(none) != 0 {
			t.Errorf("%+v, %v", none, err)
		}
		// A session that only goes on is written once a minute.
		for i, want := range []time.Duration{0, time.Minute} {
			w.now = w.now.Add(time.Duration(i) * time.Minute)
			commit(t, w, "two", "anna")
			if list, err := w.SessionsOf(ctx, "anna"); err != nil || !list[0].Seen.Equal(w.now) || list[0].Seen.Sub(list[0].Created) != want {
				t.Errorf("%+v, %v", list[0], err)
			}
		}
		kind(t, w.RevokeSession(ctx, "bea", login.SessionID("one")), fault.NotFound)
		kind(t, w.RevokeSession(ctx, "anna", "one"), fault.NotFound)
		if err := w.RevokeSession(ctx, "anna", login.SessionID("one")); err != nil {
			t.Fatal(err)
		}
		kind(t, w.RevokeSession(ctx, "anna", login.SessionID("one")), fault.NotFound)
		commit(t, w, "one", "anna") // by a request that was still under way
		if _, found, err := w.FindCtx(ctx, "one"); found || err != nil {
			t.Errorf("a revoked session came back: %v", err)
		}
		if err := w.DeleteCtx(ctx, "two"); err != nil {
			t.Fatal(err)
		}
		commit(t, w, "two", "anna")
		if list, err := w.SessionsOf(ctx, "anna"); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if err := w.DeleteCtx(ctx, "nothing"); err != nil {
			t.Error(err)
		}
		if err := w.CommitCtx(ctx, "bad", []byte("not of scs"), w.now.Add(time.Hour)); err == nil {
			t.Error("data that cannot be read is kept")
		}
		commit(t, w, "three", "anna")
		commit(t, w, "four", "anna")
		if err := w.RevokeSessions(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"three", "four"} {
			if _, found, err := w.FindCtx(ctx, s); found || err != nil {
				t.Errorf("%s goes on: %v", s, err)
			}
		}
		if _, found, err := w.Find("before"); !found || err != nil {
			t.Errorf("one that is nobody's ended too: %v", err)
		}
	})
}

func TestSessionsExpireAndAreSwept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		commit(t, w, "one", "anna")
		w.now = w.now.Add(2 * time.Hour)
		if _, found, err := w.FindCtx(t.Context(), "one"); found || err != nil {
			t.Errorf("%v, %v", found, err)
		}
		commit(t, w, "two", "anna") // sweeps
		if n := rows(t, w.db, "login_session"); n != 1 {
			t.Errorf("%d sessions stored", n)
		}
	})
}
