package queue

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

func TestConfigurationThatIsWrongIsTold(t *testing.T) {
	good := Deps{Link: newLink(true), Allow: allow(nil)}
	for name, change := range map[string]func(*Config, *Deps){
		"dir":    func(c *Config, _ *Deps) { c.Dir = "" },
		"quota":  func(c *Config, _ *Deps) { c.Quota = 0 },
		"rate":   func(c *Config, _ *Deps) { c.Requests = 0 },
		"burst":  func(c *Config, _ *Deps) { c.Requests, c.Burst = 0.1, 1 },
		"slots":  func(c *Config, _ *Deps) { c.Parallel = 0 },
		"times":  func(c *Config, _ *Deps) { c.RetryMax = 0 },
		"link":   func(_ *Config, d *Deps) { d.Link = nil },
		"allow":  func(_ *Config, d *Deps) { d.Allow = nil },
		"origin": func(c *Config, _ *Deps) { c.Origins = append(c.Origins, c.Origins[0]) },
	} {
		c, d := quick(t.TempDir()), good
		change(&c, &d)
		if _, err := New(c, d); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptsAreNumberedByComuneAndYear(t *testing.T) {
	c := quick(t.TempDir())
	q := opened(t, c, Deps{})
	year := year(time.Now())
	for i, want := range []string{"CARAVINO-" + year + "-0001", "CARAVINO-" + year + "-0002"} {
		if r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(i), "x")); r.Number != want || r.State != edge.StateQueued || r.State.Words().It != "in attesa" {
			t.Errorf("receipt %+v, want %s", r, want)
		}
	}
	bergolo := func(w *Write) { w.Comune = "SALE-LANGHE" }
	if r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(7), "x", bergolo)); r.Number != "SALE-LANGHE-"+year+"-0001" {
		t.Errorf("of another comune: %+v", r)
	}
	// A refused one takes no number, and a restart forgets none.
	if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a/"+uuidOf(8), "x", func(w *Write) { w.MaxBody = 0 })); !errors.Is(err, ErrBody) {
		t.Errorf("too big: %v", err)
	}
	q.Close()
	q = opened(t, c, Deps{})
	if r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(9), "x")); r.Number != "CARAVINO-"+year+"-0003" {
		t.Errorf("after a restart: %+v", r)
	}
}

func TestAcceptRefuses(t *testing.T) {
	q := opened(t, quick(t.TempDir()), Deps{})
	for name, c := range map[string]struct {
		change func(*Write)
		want   fault.Kind
	}{
		"refused by the rules": {func(w *Write) { w.Decision.Act = edge.RefuseWrite }, fault.Refused},
		"for the register":     {func(w *Write) { w.Decision.Act = edge.RegisterWrite }, fault.Refused},
		"no condition":         {func(w *Write) { w.Decision.IfNoneMatch = "" }, fault.Invalid},
		"comune":               {func(w *Write) { w.Comune = "../x" }, fault.Invalid},
		"service":              {func(w *Write) { w.Service = "other" }, fault.NotFound},
		"target":               {func(w *Write) { w.Target = "http://x" }, fault.Invalid},
		"never expires":        {func(w *Write) { w.Decision.Expires = 0 }, fault.Invalid},
		"no key to seal":       {func(w *Write) { w.Decision.Credentials = true }, fault.Refused},
	} {
		if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a", "x", c.change)); err == nil || fault.Of(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := write(edge.ClassCreate, "/a", "")
	cut.Body = io.MultiReader(strings.NewReader("half"), iotestErr{})
	if _, err := q.Accept(context.Background(), cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that was cut off: %v", err)
	}
	if all, _ := q.List(Filter{}); len(all) != 0 {
		t.Errorf("something was kept: %+v", all)
	}
	if files, _ := os.ReadDir(q.bodies()); len(files) != 0 {
		t.Errorf("bodies stay behind: %v", files)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheSameWriteAgainGetsTheSameReceipt(t *testing.T) {
	o := newOrigin()
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
	for _, make := range []func(body string) Write{
		func(body string) Write { return write(edge.ClassCreate, "/a/"+uuidOf(1), body) },
		func(body string) Write { return write(edge.ClassCreate, "/offers", body, keyed(`"a-key-of-its-own"`)) },
		func(body string) Write { return write(edge.ClassAppend, "/letture", body, event("meter", 3)) },
	} {
		first := accept(t, q, make("x"))
		for range 2 {
			again := accept(t, q, make("x"))
			if again.Number != first.Number || !again.Again {
				t.Errorf("again: %+v, first %+v", again, first)
			}
			if _, err := q.Accept(context.Background(), make("y")); fault.Of(err) != fault.Conflict {
				t.Errorf("another under the same name: %v", err)
			}
			drain(t, q, 10)
		}
		if o.count(first.Number) != 1 {
			t.Errorf("%s was done %d times", first.Number, o.count(first.Number))
		}
	}
	if r := accept(t, q, write(edge.ClassCreate, "/offers", "x", keyed(`"a-key-of-its-own"`), by("bruno"))); r.Again {
		t.Error("somebody else's key names a write of anna's")
	}
	if _, err := q.Accept(context.Background(), write(edge.ClassAppend, "/letture", "x", event("meter", 2))); fault.Of(err) != fault.Conflict {
		t.Errorf("an event that goes back: %v", err)
	}
}

func TestEventsAreChained(t *testing.T) {
	o := newOrigin()
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
	a := state(t, q, accept(t, q, write(edge.ClassAppend, "/l", "x", event("m", 1))).Number)
	b := state(t, q, accept(t, q, write(edge.ClassAppend, "/l", "x", event("m", 5))).Number)
	other := opened(t, quick(t.TempDir()), Deps{})
	c := state(t, other, accept(t, other, write(edge.ClassAppend, "/l", "z", event("m", 1))).Number)
	d := state(t, other, accept(t, other, write(edge.ClassAppend, "/l", "x", event("m", 5))).Number)
	if len(a.Chain) != 64 || a.Chain == b.Chain || b.Chain == d.Chain || a.Chain == c.Chain {
		t.Errorf("an event does not hang on the one before: %s %s %s %s", a.Chain, b.Chain, c.Chain, d.Chain)
	}
}

func TestAnswersOfTheOrigin(t *testing.T) {
	create := func(o *origin) Write { return write(edge.ClassCreate, "/a/"+uuidOf(1), "mine") }
	post := func(o *origin) Write { return write(edge.ClassCreate, "/offers", "mine", keyed("the-key-itself")) }
	update := func(o *origin) Write { return write(edge.ClassUpdate, "/d", "mine", match(o.set("/d", "old"))) }
	stale := func(o *origin) Write {
		w := write(edge.ClassUpdate, "/d", "mine", match(o.set("/d", "old")))
		o.set("/d", "theirs")
		return w
	}
	remove := func(o *origin) Write { return write(edge.ClassDelete, "/d", "", match(o.set("/d", "old"))) }
	for _, c := range []struct {
		name    string
		make    func(*origin) Write
		trouble []string // of the first attempts, then none
		want    edge.State
		effects int
	}{
		{"create", create, nil, edge.StateAccepted, 1},
		{"create, cut before", create, []string{"cut before"}, edge.StateAccepted, 1},
		{"create, cut after", create, []string{"cut after"}, edge.StateAccepted, 1},
		{"create, 500 after, cut after", create, []string{"500 after", "cut after"}, edge.StateAccepted, 1},
		{"create, redirected to a page", create, []string{"302"}, edge.StateAccepted, 1},
		{"create, the edge is not signed in", create, []string{"401"}, edge.StateAccepted, 1},
		{"create, busy", create, []string{"429", "503", "500"}, edge.StateAccepted, 1},
		{"create, refused", create, []string{"400"}, edge.StateRefused, 0},
		{"create, forbidden", create, []string{"403"}, edge.StateRefused, 0},
		{"create, nowhere", create, []string{"404"}, edge.StateRefused, 0},
		{"create, too big there", create, []string{"413"}, edge.StateRefused, 0},
		{"create, not implemented", create, []string{"501"}, edge.StateRefused, 0},
		{"create, taken by another", create, []string{"foreign edit"}, edge.StateConflict, 0},
		{"create, 409", create, []string{"409"}, edge.StateConflict, 0},
		{"post", post, nil, edge.StateAccepted, 1},
		{"post, cut after", post, []string{"cut after"}, edge.StateAccepted, 1},
		{"post, still busy", post, []string{"409", "409", "409"}, edge.StateAccepted, 1},
		{"post, busy for ever", post, slices.Repeat([]string{"409"}, 20), edge.StateConflict, 0},
		{"post, key of another body", post, []string{"422"}, edge.StateRefused, 0},
		{"update", update, nil, edge.StateAccepted, 1},
		{"update, cut after", update, []string{"cut after"}, edge.StateAccepted, 1},
		{"update of what changed", stale, nil, edge.StateConflict, 0},
		{"update of what is gone", update, []string{"404"}, edge.StateConflict, 0},
		{"delete", remove, nil, edge.StateAccepted, 1},
		{"delete, cut after", remove, []string{"cut after"}, edge.StateAccepted, 1},
		{"delete of what changed", remove, []string{"foreign edit"}, edge.StateExpired, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, n := newOrigin(), 0
			o.trouble = func(*http.Request) string {
				if n++; n <= len(c.trouble) {
					return c.trouble[n-1]
				}
				return ""
			}
			q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
			r := accept(t, q, c.make(o))
			drain(t, q, 50)
			e := state(t, q, r.Number)
			if e.State != c.want || o.count(r.Number) != c.effects || e.Reason == "" {
				t.Fatalf("%s (%s), done %d times; want %s, %d", e.State, e.Reason, o.count(r.Number), c.want, c.effects)
			}
			switch e.State {
			case edge.StateAccepted:
				if e.Body.ID != "" || len(must(os.ReadDir(q.bodies()))) != 0 {
					t.Error("the body of an accepted write is still here")
				}
			case edge.StateRefused:
				if e.Status < 400 || !strings.Contains(e.Answer, "no: ") || bodyOf(t, q, r.Number, false) != "mine" {
					t.Errorf("refused without status and reason, or the body is lost: %d %q", e.Status, e.Answer)
				}
			case edge.StateConflict:
				if bodyOf(t, q, r.Number, false) != "mine" {
					t.Error("our version is lost")
				}
				if d, ok := o.get(e.Target); ok && e.Key == "" && (bodyOf(t, q, r.Number, true) != string(d.body) || e.Theirs.ETag != d.tag) {
					t.Error("their version is lost")
				}
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOfficialNumberAndLocationAreKept(t *testing.T) {
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{newOrigin()}})
	r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
	drain(t, q, 5)
	if e := state(t, q, r.Number); e.Official != "UFF-"+r.Number || e.Location != e.Target {
		t.Errorf("official %q, location %q", e.Official, e.Location)
	}
}

func TestWhatIsTakenForLaterIsSentNotAccepted(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) })
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{h}})
	r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
	drain(t, q, 5)
	if e := state(t, q, r.Number); e.State != edge.StateSent || bodyOf(t, q, r.Number, false) != "x" {
		t.Fatalf("%+v", e)
	}
	if err := q.Confirm(r.Number, "4180/2026", "anna"); err != nil {
		t.Fatal(err)
	}
	if e := state(t, q, r.Number); e.State != edge.StateAccepted || e.Official != "4180/2026" {
		t.Errorf("%+v", e)
	}
}

func TestConflictsAreResolvedAsChosen(t *testing.T) {
	for _, keep := range []Keep{KeepMine, KeepTheirs, KeepBoth} {
		o := newOrigin()
		q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
		w := write(edge.ClassUpdate, "/d/bozza%201.odt", "mine", match(o.set("/d/bozza 1.odt", "old")))
		o.set("/d/bozza 1.odt", "theirs")
		r := accept(t, q, w)
		drain(t, q, 5)
		if _, err := q.Resolve(r.Number, "neither", "anna"); fault.Of(err) != fault.Invalid {
			t.Errorf("neither: %v", err)
		}
		if _, err := q.Resolve(r.Number, keep, "anna"); err != nil {
			t.Fatal(err)
		}
		drain(t, q, 5)
		e := state(t, q, r.Number)
		main, _ := o.get("/d/bozza 1.odt")
		beside, _ := o.get("/d/bozza 1." + r.Number + ".odt")
		want := map[Keep][3]string{
			KeepMine:   {"mine", "", string(edge.StateAccepted)},
			KeepTheirs: {"theirs", "", string(edge.StateResolved)},
			KeepBoth:   {"theirs", "mine", string(edge.StateAccepted)},
		}[keep]
		if got := [3]string{string(main.body), string(beside.body), string(e.State)}; got != want {
			t.Errorf("%s: %q, want %q", keep, got, want)
		}
		if keep == KeepTheirs {
			if bodyOf(t, q, r.Number, false) != "mine" {
				t.Error("the version that was not chosen is lost")
			}
			if err := q.Discard(r.Number, "anna"); err != nil {
				t.Fatal(err)
			}
			if _, err := q.Body(r.Number, false); fault.Of(err) != fault.NotFound {
				t.Errorf("discarded: %v", err)
			}
		}
		if _, err := q.Resolve(r.Number, keep, "anna"); fault.Of(err) != fault.Conflict {
			t.Errorf("resolved twice: %v", err)
		}
	}
}

func TestAThirdVersionMakesANewConflict(t *testing.T) {
	o := newOrigin()
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
	w := write(edge.ClassUpdate, "/d", "mine", match(o.set("/d", "old")))
	o.set("/d", "theirs")
	r := accept(t, q, w)
	drain(t, q, 5)
	if _, err := q.Resolve(r.Number, KeepMine, "anna"); err != nil {
		t.Fatal(err)
	}
	o.set("/d", "third")
	drain(t, q, 5)
	if e := state(t, q, r.Number); e.State != edge.StateConflict || bodyOf(t, q, r.Number, true) != "third" {
		t.Errorf("%s", e.State)
	}
	if d, _ := o.get("/d"); string(d.body) != "third" {
		t.Errorf("the third version was lost: %q", d.body)
	}
}

func TestVersionName(t *testing.T) {
	for p, want := range map[string]string{
		"/d/a.odt": "/d/a.N.odt", "/d/a": "/d/a.N", "/d.x/a": "/d.x/a.N", "/d/.nascosto": "/d/.nascosto.N", "/d/a.tar.gz": "/d/a.tar.N.gz",
	} {
		if got := VersionName(p, "N"); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestCancelOnlyWhatSurelyDidNotArrive(t *testing.T) {
	o := newOrigin()
	o.trouble = func(r *http.Request) string {
		if strings.HasPrefix(r.URL.Path, "/cut/") {
			return "cut before"
		}
		return "429"
	}
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
	never := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
	cut := accept(t, q, write(edge.ClassCreate, "/cut/"+uuidOf(2), "x"))
	drain(t, q, 4)
	if err := q.Cancel(cut.Number, "anna"); fault.Of(err) != fault.Conflict {
		t.Errorf("a write that may have arrived: %v", err)
	}
	if err := q.Cancel(never.Number, "anna"); err != nil {
		t.Errorf("a write that did not arrive: %v", err)
	}
	if e := state(t, q, never.Number); e.State != edge.StateCancelled || e.Body.ID != "" {
		t.Errorf("%+v", e)
	}
	if err := q.Cancel(never.Number, "anna"); fault.Of(err) != fault.Conflict {
		t.Errorf("twice: %v", err)
	}
	if r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x")); r.Again {
		t.Error("a cancelled write cannot be made anew")
	}
}

func TestAPersonWhoseRightIsWithdrawn(t *testing.T) {
	o := newOrigin()
	unknown := true
	who := allow(func(p edge.Person) (bool, string, error) {
		if unknown {
			return false, "", errUnknown
		}
		return p.ID != "revoked", "the account is closed", nil
	})
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}, Allow: who})
	a := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x", by("revoked")))
	b := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x", by("revoked")))
	c := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(3), "x"))
	drain(t, q, 30)
	for _, r := range []Receipt{a, b, c} {
		if e := state(t, q, r.Number); e.State != edge.StateQueued || !strings.Contains(e.Reason, errUnknown.Error()) {
			t.Errorf("nobody knows whether it is allowed, and it is %s: %s", e.State, e.Reason)
		}
	}
	if len(o.times()) != 0 {
		t.Fatal("something was sent before it was known to be allowed")
	}
	unknown = false
	drain(t, q, 30)
	for _, r := range []Receipt{a, b} {
		if e := state(t, q, r.Number); e.State != edge.StateStopped || !strings.Contains(e.Reason, "account is closed") || bodyOf(t, q, r.Number, false) != "x" {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
	}
	if e := state(t, q, c.Number); e.State != edge.StateAccepted || len(o.sequence()) != 1 {
		t.Errorf("%s; sent %v", e.State, o.sequence())
	}
}

func TestOrderIsKeptInALineAndPoisonHoldsNoOther(t *testing.T) {
	o := newOrigin()
	o.trouble = func(r *http.Request) string {
		if r.URL.Path == "/poison" {
			return "500"
		}
		return ""
	}
	q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}})
	first := accept(t, q, write(edge.ClassAppend, "/poison", "1", event("bad", 1)))
	behind := accept(t, q, write(edge.ClassAppend, "/fine", "2", event("bad", 2)))
	var want []string
	for i := range 10 {
		want = append(want, accept(t, q, write(edge.ClassAppend, "/fine", "x", event("good", uint64(i+1)))).Number)
	}
	drain(t, q, 60)
	if got := o.sequence(); !slices.Equal(got, want) {
		t.Errorf("done %v, want %v", got, want)
	}
	for _, r := range []Receipt{first, behind} {
		if e := state(t, q, r.Number); e.State != edge.StateQueued {
			t.Errorf("%s is %s", r.Number, e.State)
		}
	}
	o.troubled(nil)
	drain(t, q, 10)
	if got := o.sequence()[10:]; !slices.Equal(got, []string{first.Number, behind.Number}) {
		t.Errorf("after the poison: %v", got)
	}
}

func TestQuotas(t *testing.T) {
	c := quick(t.TempDir())
	c.QuotaComune, c.Quota = 100, 150
	o := newOrigin()
	q := opened(t, c, Deps{Transport: direct{o}})
	body := strings.Repeat("x", 60)
	other := func(w *Write) { w.Comune = "BERGOLO" }
	first := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), body))
	if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a/"+uuidOf(2), body)); !errors.Is(err, ErrQuota) {
		t.Errorf("over the comune's: %v", err)
	}
	accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(3), body, other))
	if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a/"+uuidOf(4), body[:31], other)); !errors.Is(err, ErrQuota) {
		t.Errorf("over that of all: %v", err)
	}
	q.Close()
	q = opened(t, c, Deps{Transport: direct{o}})
	if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a/"+uuidOf(2), body)); !errors.Is(err, ErrQuota) {
		t.Errorf("after a restart: %v", err)
	}
	drain(t, q, 10)
	if e := state(t, q, first.Number); e.State != edge.StateAccepted {
		t.Fatal(e.State)
	}
	accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), body))
	s := must(q.Stats())
	if s.Bytes["CARAVINO"] != 60 || s.States[edge.StateAccepted] != 2 || s.States[edge.StateQueued] != 1 || s.OldestSince.IsZero() {
		t.Errorf("%+v", s)
	}
}

func TestBodiesAndCredentialsAreSealed(t *testing.T) {
	const marker, secret = "MARKER-OF-A-CITIZEN", "Bearer TOKEN-OF-A-CITIZEN"
	c := quick(t.TempDir())
	o := newOrigin()
	var got []string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		o.ServeHTTP(w, r)
	})
	k := keys{"CARAVINO": bytes.Repeat([]byte{7}, 32)}
	q := opened(t, c, Deps{Transport: direct{h}, Keys: k})
	long := strings.Repeat(marker, 3*piece/len(marker))
	with := func(w *Write) {
		w.Header.Set("Authorization", secret)
		w.Decision.Credentials = true
	}
	a := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), long, with))
	b := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "", by("bruno")))
	err := filepath.WalkDir(c.Dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if bytes.Contains(data, []byte(marker)) || bytes.Contains(data, []byte("TOKEN-OF")) {
			t.Errorf("%s holds it in the clear", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key := k["CARAVINO"]
	delete(k, "CARAVINO")
	drain(t, q, 20)
	if e := state(t, q, a.Number); e.State != edge.StateQueued {
		t.Fatalf("without its key it is %s: %s", e.State, e.Reason)
	}
	k["CARAVINO"] = key
	drain(t, q, 20)
	if d, _ := o.get("/a/" + uuidOf(1)); string(d.body) != long || !slices.Contains(got, secret) {
		t.Errorf("it did not come out as it went in; authorised by %q", got)
	}
	if e := state(t, q, a.Number); e.State != edge.StateAccepted || e.Secret != nil {
		t.Errorf("%+v", e)
	}
	if e := state(t, q, b.Number); e.State != edge.StateAccepted {
		t.Errorf("%+v", e)
	}
}

// TestADamagedBodyIsNeverSent flips every byte of a body on the disk, and cuts it
// at every place, sealed and not.
func TestADamagedBodyIsNeverSent(t *testing.T) {
	for _, k := range []Keys{nil, keys{"CARAVINO": bytes.Repeat([]byte{7}, 32)}} {
		o := newOrigin()
		q := opened(t, quick(t.TempDir()), Deps{Transport: direct{o}, Keys: k})
		r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "the body"))
		e := state(t, q, r.Number)
		whole := must(os.ReadFile(q.file(e.Body.ID)))
		for i := range whole {
			bad := bytes.Clone(whole)
			bad[i] ^= 0x40
			for _, data := range [][]byte{bad, whole[:i], append(bytes.Clone(whole), byte(i))} {
				if err := os.WriteFile(q.file(e.Body.ID), data, 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := q.Body(r.Number, false); !errors.Is(err, errDamaged) {
					t.Fatalf("byte %d: %v", i, err)
				}
			}
		}
		drain(t, q, 5)
		if e := state(t, q, r.Number); e.State != edge.StateStopped || len(o.times()) != 0 {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
	}
}

func TestPiecesOfSealedBodiesAtEveryLength(t *testing.T) {
	for _, n := range []int{0, 1, piece - 1, piece, piece + 1, 2 * piece, 2*piece + 1} {
		aead := must(sealer(bytes.Repeat([]byte{1}, 32), "id", "body"))
		var b bytes.Buffer
		w := &sealWriter{w: &b, aead: aead}
		want := bytes.Repeat([]byte{9}, n)
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sealed := b.Bytes()
		if got, err := io.ReadAll(newSealReader(bytes.NewReader(sealed), aead)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d come back, %v", n, len(got), err)
		}
		for cut := piece + tagSize; cut < len(sealed); cut += piece + tagSize { // whole pieces are missing
			if _, err := io.ReadAll(newSealReader(bytes.NewReader(sealed[:cut]), aead)); err == nil {
				t.Errorf("%d bytes, cut at %d: it opens", n, cut)
			}
		}
	}
}

func TestARecordThatCannotBeReadHoldsItsLineAlone(t *testing.T) {
	c := quick(t.TempDir())
	o := newOrigin()
	q := opened(t, c, Deps{Transport: direct{o}})
	bad := accept(t, q, write(edge.ClassAppend, "/l", "1", event("a", 1)))
	behind := accept(t, q, write(edge.ClassAppend, "/l", "2", event("a", 2)))
	other := accept(t, q, write(edge.ClassAppend, "/l", "3", event("b", 1)))
	damage(t, q, bad.Number)
	q.Close()
	q = opened(t, c, Deps{Transport: direct{o}})
	drain(t, q, 10)
	if got := o.sequence(); !slices.Equal(got, []string{other.Number}) {
		t.Errorf("done %v", got)
	}
	if e := state(t, q, behind.Number); e.State != edge.StateQueued {
		t.Errorf("it overtook: %s", e.State)
	}
	if s := must(q.Stats()); s.Broken != 1 {
		t.Errorf("%+v", s)
	}
	if len(must(os.ReadDir(q.bodies()))) != 2 {
		t.Error("a body that a damaged record may name was removed")
	}
	if _, _, err := q.Show(bad.Number); err == nil || !strings.Contains(err.Error(), bad.Number) {
		t.Errorf("show: %v", err)
	}
}

func TestADatabaseThatIsNoneIsAnError(t *testing.T) {
	c := quick(t.TempDir())
	if err := os.WriteFile(filepath.Join(c.Dir, "queue.db"), bytes.Repeat([]byte("x"), 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	q := must(New(c, Deps{Link: newLink(true), Allow: allow(nil)}))
	if err := q.Open(context.Background()); err == nil || !strings.Contains(err.Error(), "queue.db") {
		t.Errorf("%v", err)
	}
	if _, err := q.Accept(context.Background(), write(edge.ClassCreate, "/a", "x")); fault.Of(err) != fault.Conflict {
		t.Errorf("accepted without a database: %v", err)
	}
}

func TestBodiesOfUnfinishedAcceptsAreSwept(t *testing.T) {
	c := quick(t.TempDir())
	q := opened(t, c, Deps{})
	r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "kept"))
	for _, name := range []string{strings.Repeat("a", 32), strings.Repeat("b", 32) + ".tmp"} {
		if err := os.WriteFile(filepath.Join(q.bodies(), name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	q.Close()
	q = opened(t, c, Deps{})
	if files := must(os.ReadDir(q.bodies())); len(files) != 1 || bodyOf(t, q, r.Number, false) != "kept" {
		t.Errorf("%v", files)
	}
}

func TestListFilters(t *testing.T) {
	q := opened(t, quick(t.TempDir()), Deps{})
	a := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
	b := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x", by("bruno")))
	for _, c := range []struct {
		f    Filter
		want []string
	}{
		{Filter{}, []string{a.Number, b.Number}},
		{Filter{Person: "bruno"}, []string{b.Number}},
		{Filter{Limit: 1}, []string{a.Number}},
		{Filter{After: a.Number}, []string{b.Number}},
		{Filter{Comune: "BERGOLO"}, nil},
		{Filter{States: []edge.State{edge.StateRefused}}, nil},
	} {
		var got []string
		for _, e := range must(q.List(c.f)) {
			got = append(got, e.Number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
}

// TestAnAttemptThatCouldNotBeWrittenDownIsMadeAgain closes the files while a write
// is under way, as a disk that fails would.
func TestAnAttemptThatCouldNotBeWrittenDownIsMadeAgain(t *testing.T) {
	o := newOrigin()
	q := opened(t, quick(t.TempDir()), Deps{})
	q.deps.Transport = direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.ServeHTTP(w, r)
		q.db.Load().Close()
	})}
	r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
	it, _ := q.next(time.Now(), true)
	q.one(context.Background(), it)
	if o.count(r.Number) != 1 || it.sending {
		t.Fatalf("done %d times, under way: %v", o.count(r.Number), it.sending)
	}
	q.db.Store(must(openDB(filepath.Join(q.cfg.Dir, "queue.db"))))
	q.deps.Transport = direct{o}
	if e := state(t, q, r.Number); e.State != edge.StateSending {
		t.Fatalf("%s: %s", e.State, e.Reason)
	}
	drain(t, q, 5)
	if e := state(t, q, r.Number); e.State != edge.StateAccepted || o.count(r.Number) != 1 {
		t.Errorf("%s: %s; done %d times", e.State, e.Reason, o.count(r.Number))
	}
}
