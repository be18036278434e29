package people

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// clock is the time that a test sets.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func newBook(t *testing.T) (*Book, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	cfg := Default()
	cfg.File = filepath.Join(t.TempDir(), "people.json")
	cfg.Now = func() time.Time { return c.now }
	b, err := Open(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// enrolled is somebody with a device, by the PIN 739164.
func enrolled(t *testing.T, b *Book, name string, groups ...string) (p Person, device, in string) {
	t.Helper()
	p, code, err := b.Invite(name, groups, "office")
	if err != nil {
		t.Fatal(err)
	}
	device, e, err := b.Enrol(code, "739164")
	if err != nil {
		t.Fatal(err)
	}
	return p, device, e.Session
}

func TestInvitedOnceThenTheDeviceAndThePIN(t *testing.T) {
	b, c := newBook(t)
	p, code, err := b.Invite("  Anna   Rossi ", []string{"tutti", "ragioneria", "tutti"}, "office")
	if err != nil || p.Name != "Anna Rossi" || !slices.Equal(p.Groups, []string{"ragioneria", "tutti"}) || p.Code != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, _, err := b.Invite("anna rossi", nil, "office"); fault.Of(err) != fault.Conflict {
		t.Errorf("the same name twice: %v", err)
	}
	if _, _, err := b.Enrol(code, "123456"); !errors.Is(err, edge.ErrWeak) {
		t.Errorf("weak PIN: %v", err)
	}
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	device, in, err := b.Enrol(strings.NewReplacer("o", "0", "i", "1", "b", "8").Replace(typed), "739164")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Enrol(code, "739164"); !errors.Is(err, edge.ErrCode) {
		t.Errorf("a code twice: %v", err)
	}
	if got, ok := b.Who(in.Session, []string{"x.y", device}); !ok || got.ID != p.ID {
		t.Errorf("who: %+v, %v", got, ok)
	}
	if _, ok := b.Who(in.Session, nil); ok {
		t.Error("a session without its device")
	}
	c.pass(31 * time.Minute)
	if _, ok := b.Who(in.Session, []string{device}); ok {
		t.Error("a session after half an hour without a request")
	}
	if got, ok := b.Known(device); !ok || got.Name != "Anna Rossi" {
		t.Errorf("known: %+v, %v", got, ok)
	}
	if in, err = b.Enter(device, "739164"); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		c.pass(25 * time.Minute)
		_, _ = b.Who(in.Session, []string{device})
	}
	if _, ok := b.Who(in.Session, []string{device}); ok {
		t.Error("a session after twelve hours")
	}
	c.pass(91 * 24 * time.Hour)
	if _, err := b.Enter(device, "739164"); !errors.Is(err, edge.ErrDevice) {
		t.Errorf("after 91 days: %v", err)
	}
}

func TestACodeEnds(t *testing.T) {
	b, c := newBook(t)
	p, code, err := b.Invite("Anna", nil, "office")
	if err != nil {
		t.Fatal(err)
	}
	c.pass(8 * 24 * time.Hour)
	if _, _, err := b.Enrol(code, "739164"); !errors.Is(err, edge.ErrCode) {
		t.Errorf("after eight days: %v", err)
	}
	first, err := b.Again(p.ID, "office")
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Again(p.ID, "office")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Enrol(first, "739164"); !errors.Is(err, edge.ErrCode) {
		t.Errorf("the code before: %v", err)
	}
	if _, _, err := b.Enrol(second, "739164"); err != nil {
		t.Errorf("the newest code: %v", err)
	}
	if _, _, err := b.Enrol("", "739164"); !errors.Is(err, edge.ErrCode) {
		t.Errorf("no code: %v", err)
	}
}

func TestWrongPINs(t *testing.T) {
	b, c := newBook(t)
	_, device, in := enrolled(t, b, "Anna")
	for i := range 4 {
		if _, err := b.Enter(device, "111222"); !errors.Is(err, edge.ErrPIN) {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	again, err := Open(b.cfg, nil) // killed and started: it was counted
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Enter(device, "111222"); !errors.Is(err, edge.ErrShut) {
		t.Fatalf("try 5: %v", err)
	}
	if _, err := again.Enter(device, "739164"); !errors.Is(err, edge.ErrShut) {
		t.Errorf("the right PIN while shut: %v", err)
	}
	c.pass(16 * time.Minute)
	for i := 6; i < 10; i++ {
		if _, err := again.Enter(device, "111222"); !errors.Is(err, edge.ErrShut) {
			t.Fatalf("try %d: %v", i, err)
		}
		c.pass(16 * time.Minute)
	}
	if _, err := again.Enter(device, "111222"); !errors.Is(err, edge.ErrDevice) {
		t.Fatalf("try 10: %v", err)
	}
	if _, err := again.Enter(device, "739164"); !errors.Is(err, edge.ErrDevice) {
		t.Errorf("the right PIN, forgotten: %v", err)
	}
	if _, ok := again.Who(in, []string{device}); ok {
		t.Error("a session of a forgotten device")
	}
}

func TestARightPINCountsAnew(t *testing.T) {
	b, _ := newBook(t)
	_, device, _ := enrolled(t, b, "Anna")
	for range 3 {
		for range 4 {
			if _, err := b.Enter(device, "111222"); !errors.Is(err, edge.ErrPIN) {
				t.Fatal(err)
			}
		}
		if _, err := b.Enter(device, "739164"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRightsEndAtOnce(t *testing.T) {
	b, _ := newBook(t)
	p, device, in := enrolled(t, b, "Anna", "ragioneria")
	other, _, _ := enrolled(t, b, "Bruno", "tutti")
	if ok, why := b.Allowed(p.ID, []string{"ragioneria", "x"}); !ok {
		t.Error(why)
	}
	if ok, _ := b.Allowed(other.ID, []string{"ragioneria"}); ok {
		t.Error("another's group")
	}
	if err := b.SetGroups(p.ID, nil, "office"); err != nil {
		t.Fatal(err)
	}
	if got, ok := b.Who(in, []string{device}); !ok || len(got.Groups) != 0 {
		t.Errorf("groups of a session under way: %v", got.Groups)
	}
	if ok, _ := b.Allowed(p.ID, []string{"ragioneria"}); ok {
		t.Error("a group that was taken away")
	}
	if err := b.Remove(p.ID, "office"); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Who(in, []string{device}); ok {
		t.Error("in after being removed")
	}
	if _, err := b.Enter(device, "739164"); !errors.Is(err, edge.ErrDevice) {
		t.Errorf("enter after being removed: %v", err)
	}
	if ok, _ := b.Allowed(p.ID, nil); ok {
		t.Error("allowed after being removed")
	}
	if err := b.Remove(p.ID, "office"); fault.Of(err) != fault.NotFound {
		t.Errorf("twice: %v", err)
	}
	var what []string
	for _, e := range b.Events() {
		if e.Person == p.ID {
			what = append(what, e.What)
		}
	}
	if !slices.Equal(what, []string{"invited", "entered from a new device", "groups", "removed"}) {
		t.Errorf("events: %v", what)
	}
}

// TestTheFileOpensNothing: whoever reads the disk has no code, PIN or secret.
func TestTheFileOpensNothing(t *testing.T) {
	b, _ := newBook(t)
	_, code, err := b.Invite("Anna", nil, "office")
	if err != nil {
		t.Fatal(err)
	}
	_, device, in := enrolled(t, b, "Bruno")
	data, err := os.ReadFile(b.cfg.File)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(device, ".")
	for _, s := range []string{plainCode(code), code, "739164", secret, in, hash("739164")} {
		if strings.Contains(string(data), s) {
			t.Errorf("%q is in the file", s)
		}
	}
	if st, err := os.Stat(b.cfg.File); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestAFullDisk keeps nobody out who knows their PIN, and lets nobody guess.
func TestAFullDisk(t *testing.T) {
	b, _ := newBook(t)
	_, device, _ := enrolled(t, b, "Anna")
	b.cfg.File = filepath.Join(b.cfg.File, "no folder", "people.json")
	if _, err := b.Enter(device, "739164"); err != nil {
		t.Errorf("the right PIN: %v", err)
	}
	for range 5 {
		_, _ = b.Enter(device, "111222")
	}
	if _, err := b.Enter(device, "739164"); !errors.Is(err, edge.ErrShut) {
		t.Errorf("after five wrong ones: %v", err)
	}
	if _, _, err := b.Invite("Bruno", nil, "office"); fault.Of(err) != fault.Refused {
		t.Errorf("an invitation that is not kept: %v", err)
	}
	if len(b.People()) != 1 {
		t.Error("what is not kept is shown")
	}
}

// TestOneCodeAtOnce: of many who type it, one is let in.
func TestOneCodeAtOnce(t *testing.T) {
	b, _ := newBook(t)
	_, code, err := b.Invite("Anna", nil, "office")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 20 {
		wg.Go(func() {
			if _, _, err := b.Enrol(code, "739164"); err == nil {
				mu.Lock()
				in++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if in != 1 {
		t.Errorf("%d got in by one code", in)
	}
}

func TestCheckPIN(t *testing.T) {
	for _, pin := range []string{"", "12345", "000000", "123456", "987654", "12a456", "1234567890123", "٠١٢٣٤٥", "73916٤"} {
		if CheckPIN(pin) == nil {
			t.Errorf("%q is taken", pin)
		}
	}
	for _, pin := range []string{"739164", "121212", "135792", "112345", "000001"} {
		if err := CheckPIN(pin); err != nil {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

func TestADamagedFileStopsTheStart(t *testing.T) {
	b, _ := newBook(t)
	enrolled(t, b, "Anna")
	data, err := os.ReadFile(b.cfg.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", string(data[:len(data)/2]), string(data) + "{}", `{"form":2}`, `{"form":1,"boss":[]}`} {
		if err := os.WriteFile(b.cfg.File, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if again, err := Open(b.cfg, nil); again != nil || fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), b.cfg.File) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"form":1,"people":[{"id":"a","name":"Anna","groups":["x"],"devices":[{"id":"d","secret":"00","pin":"00"}]}],"events":[]}`))
	f.Add([]byte(`{"form":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parse("people.json", data)
		if err != nil {
			return
		}
		b := &Book{cfg: Default(), state: s, sessions: map[[32]byte]*session{}}
		if p, ok := b.Known("d.x"); ok {
			t.Errorf("%v is known by a secret that was never made", p)
		}
		b.People()
	})
}

// TestTheAuthor is known over a restart, until they leave, are removed, or twelve
// hours have passed; what names them opens nothing.
func TestTheAuthor(t *testing.T) {
	b, c := newBook(t)
	p, device, _ := enrolled(t, b, "Anna", "tutti")
	in, err := b.Enter(device, "739164")
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(b.cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := again.Author(in.Author); !ok || got.ID != p.ID || !slices.Equal(got.Groups, []string{"tutti"}) {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, token := range []string{"", in.Session, device, "x"} {
		if _, ok := again.Author(token); ok {
			t.Errorf("%q names an author", token)
		}
	}
	if _, ok := b.Who(in.Author, []string{device}); ok {
		t.Error("what names the author opens the pages")
	}
	c.pass(13 * time.Hour)
	if _, ok := again.Author(in.Author); ok {
		t.Error("after thirteen hours")
	}
	if in, err = again.Enter(device, "739164"); err != nil {
		t.Fatal(err)
	}
	again.Leave(in.Session)
	if _, ok := again.Author(in.Author); ok {
		t.Error("after they left")
	}
}
