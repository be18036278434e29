package edge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// emergency is a register of three lines as far as it goes without official
// numbers.
func emergency(t testing.TB) *Register {
	t.Helper()
	r, err := OpenRegister("CARAVINO-2026-RE01", "CARAVINO", "dott. Bruni", "ponte radio caduto per il temporale", noon.Add(-2*time.Hour), noon.Add(-time.Hour), 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []Direction{In, Out, In} {
		must(t, r, RegisterStep{Kind: "line", By: "Anna", At: noon.Add(time.Duration(i) * time.Minute), Line: 7 + i, Direction: d,
			Correspondent: "Rossi <b>& figli</b>", Subject: fmt.Sprintf("domanda %d", i), Digest: strings.Repeat("ab", 32)})
	}
	return r
}

func must(t testing.TB, r *Register, s RegisterStep) {
	t.Helper()
	if s.At.IsZero() {
		s.At = noon.Add(time.Hour)
	}
	if s.By == "" {
		s.By = "Anna"
	}
	if _, err := r.Add(s); err != nil {
		t.Fatal(err)
	}
}

// whole is a register from its opening to its close.
func whole(t testing.TB) *Register {
	r := emergency(t)
	must(t, r, RegisterStep{Kind: "authorise", Act: "determina 12/2026", Time: noon.Add(48 * time.Hour)})
	must(t, r, RegisterStep{Kind: "annul", Line: 8, Cause: "doppia"})
	must(t, r, RegisterStep{Kind: "restore", Time: noon.Add(time.Hour)})
	for i := range 3 {
		must(t, r, RegisterStep{Kind: "reconcile", Line: 7 + i, Official: fmt.Sprint(4180 + i), Time: noon.Add(2 * time.Hour), ByHand: i == 1})
	}
	must(t, r, RegisterStep{Kind: "close"})
	return r
}

func TestRegisterFromOpeningToClose(t *testing.T) {
	r := whole(t)
	if r.Closed.IsZero() || len(r.Open()) != 0 || r.Lines[1].Annulled != "doppia" || !r.Lines[1].Official.ByHand {
		t.Fatalf("%+v", r)
	}
	l := r.Lines[0]
	if l.Number != 7 || !l.Date.Equal(noon) || l.Official.Number != "4180" {
		t.Errorf("a line lost its emergency number or date with its official one: %+v", l)
	}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseRegister(data)
	if err != nil || back.Head() != r.Head() || len(back.Lines) != 3 {
		t.Errorf("it does not come back: %v", err)
	}
}

func TestRegisterRefuses(t *testing.T) {
	line := RegisterStep{Kind: "line", At: noon.Add(time.Hour), By: "Anna", Line: 10, Direction: In, Correspondent: "x", Subject: "y"}
	with := func(change func(*RegisterStep)) RegisterStep { s := line; change(&s); return s }
	number := RegisterStep{Kind: "reconcile", At: noon, By: "Anna", Line: 7, Official: "1", Time: noon}
	for name, c := range map[string]struct {
		s    RegisterStep
		want fault.Kind
	}{
		"a number left out":           {with(func(s *RegisterStep) { s.Line = 11 }), fault.Conflict},
		"a number again":              {with(func(s *RegisterStep) { s.Line = 9 }), fault.Conflict},
		"no officer":                  {with(func(s *RegisterStep) { s.By = " " }), fault.Invalid},
		"no subject":                  {with(func(s *RegisterStep) { s.Subject = "" }), fault.Invalid},
		"no direction":                {with(func(s *RegisterStep) { s.Direction = "" }), fault.Invalid},
		"no digest":                   {with(func(s *RegisterStep) { s.Digest = "ab" }), fault.Invalid},
		"official before the end":     {number, fault.Conflict},
		"close before the end":        {RegisterStep{Kind: "close", At: noon, By: "Anna"}, fault.Conflict},
		"open twice":                  {RegisterStep{Kind: "open", At: noon, By: "Anna", ID: "x", Comune: "X", Cause: "x", Time: noon, Line: 1}, fault.Conflict},
		"an act for two weeks":        {RegisterStep{Kind: "authorise", At: noon, By: "Anna", Act: "x", Time: noon.Add(14 * 24 * time.Hour)}, fault.Invalid},
		"an end before the last line": {RegisterStep{Kind: "restore", At: noon.Add(time.Hour), By: "Anna", Time: noon}, fault.Invalid},
		"an end to come":              {RegisterStep{Kind: "restore", At: noon, By: "Anna", Time: noon.Add(time.Hour)}, fault.Invalid},
		"annul what is not":           {RegisterStep{Kind: "annul", At: noon, By: "Anna", Line: 99, Cause: "x"}, fault.NotFound},
		"no step":                     {RegisterStep{Kind: "erase", At: noon, By: "Anna"}, fault.Invalid},
	} {
		r := emergency(t)
		before := r.Head()
		if _, err := r.Add(c.s); fault.Of(err) != c.want || err == nil || r.Head() != before || len(r.Lines) != 3 {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := emergency(t)
	must(t, r, RegisterStep{Kind: "restore", Time: noon.Add(time.Hour)})
	if _, err := r.Add(line); fault.Of(err) != fault.Conflict {
		t.Errorf("a line after the end: %v", err)
	}
	if _, err := r.Add(RegisterStep{Kind: "reconcile", At: noon, By: "Anna", Line: 7, Time: noon}); fault.Of(err) != fault.Invalid {
		t.Errorf("a number that nobody gave: %v", err)
	}
	must(t, r, number)
	for _, n := range []int{7, 8} {
		if _, err := r.Add(RegisterStep{Kind: "reconcile", At: noon, By: "Anna", Line: n, Official: "1", Time: noon}); fault.Of(err) != fault.Conflict {
			t.Errorf("one official number twice, at line %d: %v", n, err)
		}
	}
	if _, err := r.Add(RegisterStep{Kind: "close", At: noon, By: "Anna"}); fault.Of(err) != fault.Conflict {
		t.Errorf("closed with lines open: %v", err)
	}
}

func TestRegisterIsUsedADayWithoutAnAct(t *testing.T) {
	r := emergency(t)
	day := r.Since.Add(24 * time.Hour)
	if r.NeedsAct(day) || !r.NeedsAct(day.Add(time.Second)) {
		t.Error("an act is wanted after another time than a day")
	}
	must(t, r, RegisterStep{Kind: "authorise", Act: "ordinanza 3", Time: day.Add(7 * 24 * time.Hour)})
	if r.NeedsAct(day.Add(7*24*time.Hour)) || !r.NeedsAct(day.Add(8*24*time.Hour)) {
		t.Error("an act is for another time than a week")
	}
}

// TestEveryByteOfARegisterIsProtected changes each byte of a register in several
// ways: none is read again, and one that is still JSON names what was altered.
func TestEveryByteOfARegisterIsProtected(t *testing.T) {
	r := whole(t)
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for i := range data {
		for _, x := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(data)
			bad[i] ^= x
			_, err := ParseRegister(bad)
			if err == nil {
				t.Fatalf("byte %d, %q for %q, is not noticed", i, bad[i], data[i])
			}
			if strings.Contains(err.Error(), "altered") {
				named++
			}
		}
		if _, err := ParseRegister(data[:i]); err == nil {
			t.Fatalf("cut at %d is not noticed", i)
		}
	}
	if named < len(data)/2 {
		t.Errorf("only %d of %d changes name what was altered", named, 3*len(data))
	}
}

func TestTheFirstAlteredLineIsNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func([]RegisterStep) []RegisterStep
		want   string
	}{
		{"a subject", func(s []RegisterStep) []RegisterStep { s[2].Subject = "altro"; return s }, "line RE-CARAVINO-0008 was"},
		{"two subjects", func(s []RegisterStep) []RegisterStep { s[3].Subject, s[1].Subject = "a", "b"; return s }, "line RE-CARAVINO-0007 was"},
		{"a subject and its hash", func(s []RegisterStep) []RegisterStep { s[2].Subject = "altro"; s[2].Hash = s[2].sum(); return s }, "line RE-CARAVINO-0008 was"},
		{"an official number", func(s []RegisterStep) []RegisterStep { s[7].Official = "9"; return s }, "the reconciliation of line RE-CARAVINO-0007 was"},
		{"a line taken out", func(s []RegisterStep) []RegisterStep { return append(s[:2], s[3:]...) }, "line RE-CARAVINO-0007 was altered, or what followed it taken out"},
		{"lines exchanged", func(s []RegisterStep) []RegisterStep { s[1], s[2] = s[2], s[1]; return s }, "the opening was altered, or what followed it taken out"},
		{"the cause", func(s []RegisterStep) []RegisterStep { s[0].Cause = "altra"; return s }, "the opening was"},
	} {
		steps := c.change(append([]RegisterStep(nil), whole(t).Steps...))
		if _, err := FoldRegister(steps); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// What is cut off at the end, or the last step written anew, is told by the head.
	r := whole(t)
	for n := 1; n < len(r.Steps); n++ {
		data, _ := json.MarshalIndent(form{1, r.Steps[:n], r.Head()}, "", "  ")
		if _, err := ParseRegister(append(data, '\n')); err == nil || !strings.Contains(err.Error(), "head") {
			t.Errorf("cut after %d steps: %v", n, err)
		}
	}
}

func TestRegisterIsPrinted(t *testing.T) {
	var b strings.Builder
	if err := whole(t).HTML(&b, noon); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		`lang="it"`, "size: A4", "RE-CARAVINO-0007", "23/11/2026 13:00", "4180 del 23/11/2026 15:00", "ponte radio caduto per il temporale", "dott. Bruni",
		"inserito a mano da Anna", "Annullata: doppia", "determina 12/2026", "23/11/2026: 3;", "art. 63, DPR 28 dicembre 2000, n. 445",
		"decorrono dalla data e ora della registrazione di emergenza", "Rossi &lt;b&gt;&amp; figli",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, "<b>") || strings.Contains(page, "<script") {
		t.Error("what people typed is not escaped")
	}
	b.Reset()
	if err := emergency(t).HTML(&b, noon.Add(48*time.Hour)); err != nil || !strings.Contains(b.String(), "da assegnare") || !strings.Contains(b.String(), "3 righe senza numero ufficiale") || !strings.Contains(b.String(), "Attenzione") {
		t.Errorf("an open register: %v\n%s", err, b.String())
	}
}

func FuzzRegister(f *testing.F) {
	data, err := whole(f).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"form":1,"steps":[],"head":""}`))
	f.Add([]byte(`{"form":1,"steps":[{"kind":"line","line":-1}],"head":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRegister(data)
		if err != nil {
			return
		}
		again, err := r.JSON()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("what was read is written otherwise: %v", err)
		}
		if err := r.HTML(&bytes.Buffer{}, noon); err != nil {
			t.Error(err)
		}
	})
}
