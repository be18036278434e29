package mirror

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

func TestDrill(t *testing.T) {
	s := newShelf(map[string]string{"a": "one", "b/<c>": "two", "d": "three"})
	m, c := start(t, s)
	copyOnce(t, m)
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	public := key.Public().(ed25519.PublicKey)
	c.t = day.Add(2 * time.Hour)
	scratch := t.TempDir()
	hold := func() DrillReport {
		t.Helper()
		rep, err := Drill(t.Context(), DrillConfig{Repo: m.Repo(), Comune: "Mombarcaro", Scratch: scratch, Now: func() time.Time { c.t = c.t.Add(time.Second); return c.t }})
		if err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(scratch); err != nil || len(left) != 0 {
			t.Errorf("left in scratch: %v, %v", left, err)
		}
		return rep
	}
	rep := hold()
	if !rep.Passed || rep.Restored != 3 || rep.RTOs != 1 || rep.RPOs != 7201 || rep.Bytes != 11 {
		t.Errorf("%+v", rep)
	}
	data, err := rep.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ReadSigned(data, public); err != nil || back.Restored != 3 || !back.Passed {
		t.Errorf("%+v, %v", back, err)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32)).Public().(ed25519.PublicKey)
	if _, err := ReadSigned(data, other); fault.Of(err) != fault.Denied {
		t.Errorf("another's key: %v", err)
	}
	if _, err := ReadSigned(bytes.Replace(data, []byte(`"restored":3`), []byte(`"restored":4`), 1), public); fault.Of(err) != fault.Denied {
		t.Errorf("a changed report: %v", err)
	}
	for _, h := range []string{"one", "two"} {
		if err := os.Chmod(m.repo.object(hash(h)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.repo.object(hash("one")), []byte("onE"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.repo.object(hash("two"))); err != nil {
		t.Fatal(err)
	}
	rep = hold()
	if rep.Passed || rep.Restored != 1 || len(rep.Failed) != 2 || rep.Failed[0].Path != "a" || rep.Failed[1].Path != "b/<c>" {
		t.Errorf("%+v", rep)
	}
	page, err := rep.HTML()
	if err != nil || !strings.Contains(page, "NON SUPERATA") || !strings.Contains(page, "b/&lt;c&gt;") || !strings.Contains(page, "non è conservazione a norma") {
		t.Errorf("%s, %v", page, err)
	}
	if !strings.Contains(rep.Text(), "1 su 3") || !strings.Contains(rep.Text(), "non è conservazione a norma") {
		t.Error(rep.Text())
	}
}
