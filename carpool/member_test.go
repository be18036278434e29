package carpool_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

func lonlat(lon, lat float64) geo.LonLat { return geo.LonLat{Lon: lon, Lat: lat} }

func TestRegisterKeepsWhatWasSaidInOneWay(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, err := w.Members.Register(ctx, carpool.By{Account: "r-1"}, carpool.Registration{
			Member: carpool.Member{First: "  Maria  Grazia 🌻 ", Last: "Dell’Olmo", Phone: "0039 333-1234567", Email: " Maria@Example.IT ", Comune: bergolo,
				Needs: carpool.Needs{WalkingFrame: true}, Trusted: carpool.Contact{Name: "figlia", Phone: "3337654321"}, Large: true},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentTerms}, How: "page"})
		must(t, err)
		got, err := w.Members.ByAccount(ctx, "r-1")
		must(t, err)
		if got.ID != m.ID || got.First != "Maria Grazia 🌻" || got.Phone != "+393331234567" || got.Email != "maria@example.it" || got.Landline || !got.Needs.WalkingFrame ||
			got.Trusted.Phone != "+393337654321" || got.Lang != "it" || len(got.Channels) != 2 || got.Channels[0] != carpool.BySMS || got.State != carpool.Active || !got.Created.Equal(w.now) || !got.Large {
			t.Errorf("%+v", got)
		}
		consents, err := w.Members.Consents(ctx, m.ID)
		must(t, err)
		if len(consents) != 1 || consents[0].What != carpool.ConsentTerms || consents[0].How != "page" || consents[0].By != "r-1" || !consents[0].At.Equal(w.now) {
			t.Errorf("%+v", consents)
		}
		if w.told(m.ID) != "welcome" {
			t.Errorf("told %q", w.told(m.ID))
		}
		_, err = w.Members.Register(ctx, carpool.By{Account: "r-1"}, carpool.Registration{Member: carpool.Member{First: "A", Last: "B", Phone: "3331111111", Comune: bergolo},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms}, How: "page"})
		refused(t, "joining twice", err, fault.Conflict)
		_, err = w.Members.ByAccount(ctx, "")
		refused(t, "no account", err, fault.NotFound)
		home := w.caller(1)
		if !home.Landline || home.Account != "" || len(home.Channels) != 1 || home.Channels[0] != carpool.ByVoice {
			t.Errorf("%+v", home)
		}
	})
}

func TestRegisterRefusesWhatIsWrong(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		terms := []carpool.ConsentTo{carpool.ConsentTerms}
		good := carpool.Member{First: "Residente", Last: "Dodici", Phone: "3331234567", Email: "a@example.it", Comune: bergolo}
		self := carpool.By{Account: "r-1"}
		for name, c := range map[string]struct {
			by     carpool.By
			change func(*carpool.Member)
			cons   []carpool.ConsentTo
			how    string
			want   fault.Kind
		}{
			"stranger":           {by: carpool.By{}, want: fault.Denied},
			"no consent":         {cons: []carpool.ConsentTo{}},
			"unknown consent":    {cons: []carpool.ConsentTo{carpool.ConsentTerms, "all"}},
			"desk without desk":  {by: atDesk, how: "voice"},
			"desk by page":       {by: atDesk, cons: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, how: "page"},
			"page by voice":      {how: "voice"},
			"no name":            {change: func(m *carpool.Member) { m.First = " \t " }},
			"10 kB name":         {change: func(m *carpool.Member) { m.Last = strings.Repeat("x", 10_000) }},
			"61 signs":           {change: func(m *carpool.Member) { m.Last = strings.Repeat("é", 61) }},
			"control":            {change: func(m *carpool.Member) { m.First = "a\x07b" }},
			"NUL":                {change: func(m *carpool.Member) { m.First = "a\x00b" }},
			"override":           {change: func(m *carpool.Member) { m.First = "a\u202eb" }},
			"isolate":            {change: func(m *carpool.Member) { m.First = "a\u2066b" }},
			"zero width":         {change: func(m *carpool.Member) { m.First = "\u200b" }},
			"only a joiner":      {change: func(m *carpool.Member) { m.First = "\u200d" }},
			"not text":           {change: func(m *carpool.Member) { m.First = "a\xffb" }},
			"accents":            {change: func(m *carpool.Member) { m.First = "a" + strings.Repeat("\u0301", 9) }},
			"emergency number":   {change: func(m *carpool.Member) { m.Phone = "112" }},
			"mail with a header": {change: func(m *carpool.Member) { m.Email = "a@example.it\r\nBcc: b@example.it" }},
			"nothing to reach":   {change: func(m *carpool.Member) { m.Phone, m.Email = "", "" }},
			"comune":             {change: func(m *carpool.Member) { m.Comune = "Bergolo" }},
			"fiscal without IO":  {change: func(m *carpool.Member) { m.Fiscal = "RSSMRA85T10A562S" }},
			"IO without fiscal":  {cons: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentIO}},
			"wrong fiscal": {cons: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentIO},
				change: func(m *carpool.Member) { m.Fiscal = "RSSMRA85T10A562T" }},
			"minor alone":         {change: func(m *carpool.Member) { m.Minor = true }},
			"guardian of nobody":  {change: func(m *carpool.Member) { m.Guardian = "m-x" }},
			"channel twice":       {change: func(m *carpool.Member) { m.Channels = []carpool.Channel{"sms", "sms"} }},
			"channel unknown":     {change: func(m *carpool.Member) { m.Channels = []carpool.Channel{"pigeon"} }},
			"channel that cannot": {change: func(m *carpool.Member) { m.Phone, m.Channels = "0173505050", []carpool.Channel{"sms"} }},
			"language":            {change: func(m *carpool.Member) { m.Lang = "xx" }},
			"trusted, no number":  {change: func(m *carpool.Member) { m.Trusted.Name = "figlia" }},
		} {
			m, by, cons, how, want := good, self, terms, "page", fault.Invalid
			if c.change != nil {
				c.change(&m)
			}
			if c.by != (carpool.By{}) || c.want == fault.Denied {
				by = c.by
			}
			if c.cons != nil {
				cons = c.cons
			}
			if c.how != "" {
				how = c.how
			}
			if c.want != 0 {
				want = c.want
			}
			_, err := w.Members.Register(t.Context(), by, carpool.Registration{Member: m, Consents: cons, How: how})
			refused(t, name, err, want)
		}
		if n := w.number(`SELECT count(*) FROM carpool_members`); n != 0 {
			t.Errorf("%d members were kept", n)
		}
		m := good
		m.Fiscal = " rssmra85t10a562s "
		m, err := w.Members.Register(t.Context(), self, carpool.Registration{Member: m, Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentIO}, How: "page"})
		if err != nil || m.Fiscal != "RSSMRA85T10A562S" {
			t.Errorf("%+v, %v", m, err)
		}
		must(t, w.Members.Withdraw(t.Context(), carpool.By{Account: "r-1", Member: m.ID}, m.ID, carpool.ConsentIO))
		if m, err := w.Members.Get(t.Context(), m.ID); err != nil || m.Fiscal != "" {
			t.Errorf("after withdrawal: %+v, %v", m, err)
		}
		refused(t, "terms", w.Members.Withdraw(t.Context(), carpool.By{Account: "r-1", Member: m.ID}, m.ID, carpool.ConsentTerms), fault.Conflict)
	})
}

func TestSamePhoneIsTheFamilysOrNoted(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		first, by := w.resident(1)
		join := func(account string, family bool) (carpool.Member, error) {
			return w.Members.Register(ctx, carpool.By{Account: account}, carpool.Registration{
				Member: carpool.Member{First: "Moglie", Last: "Numero 1", Phone: first.Phone, Family: family, Comune: bergolo}, Consents: []carpool.ConsentTo{carpool.ConsentTerms}, How: "page"})
		}
		_, err := join("r-wife", true)
		must(t, err)
		if r, err := w.Talk.Reports(ctx, office); err != nil || len(r) != 0 {
			t.Errorf("%v, %v", r, err)
		}
		other, err := join("r-other", false)
		must(t, err) // whoever tries numbers learns nothing
		r, err := w.Talk.Reports(ctx, office)
		must(t, err)
		if len(r) != 1 || r[0].Kind != carpool.ReportPhone || r[0].About != other.ID || r[0].Other == "" || r[0].Reporter != "" {
			t.Errorf("%+v", r)
		}
		_, err = w.Members.Register(ctx, atDesk, carpool.Registration{Member: carpool.Member{First: "A", Last: "B", Phone: first.Phone, Comune: bergolo},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, How: "paper"})
		refused(t, "at the desk", err, fault.Conflict)
		first.Phone = "333 9999999"
		changed, err := w.Members.Update(ctx, by, first)
		if err != nil || changed.Phone != "+393339999999" {
			t.Errorf("%+v, %v", changed, err)
		}
	})
}

func TestMinorsRideByTheirGuardian(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		guardian, by := w.resident(1)
		_, strange := w.resident(2)
		child := carpool.Registration{Member: carpool.Member{First: "Piccola", Last: "Numero 1", Minor: true, Guardian: guardian.ID, Comune: bergolo},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor}, How: "page"}
		_, err := w.Members.Register(ctx, strange, child)
		refused(t, "another's child", err, fault.Invalid)
		forged := strange
		forged.Member = guardian.ID
		_, err = w.Members.Register(ctx, forged, child)
		refused(t, "as the guardian, by another account", err, fault.Denied)
		without := child
		without.Consents = []carpool.ConsentTo{carpool.ConsentTerms}
		_, err = w.Members.Register(ctx, by, without)
		refused(t, "without consent", err, fault.Invalid)
		m, err := w.Members.Register(ctx, by, child)
		must(t, err)
		if m.Account != "" || !m.Minor {
			t.Errorf("%+v", m)
		}
		_, err = w.Members.PutVehicle(ctx, by, carpool.Vehicle{Driver: m.ID, Plate: "AB123CD", Label: "Ape", Class: "car", Seats: 1})
		refused(t, "a minor's car", err, fault.Denied)
		_, err = w.Members.Consent(ctx, strange, m.ID, carpool.ConsentMinor, "page")
		refused(t, "consent by a stranger", err, fault.Denied)
		refused(t, "a guardian who leaves", w.Privacy.Forget(ctx, by, guardian.ID), fault.Conflict)
		m.First = "Grande"
		m.Minor = false // an age is changed at the desk
		if got, err := w.Members.Update(ctx, by, m); err != nil || got.First != "Grande" || !got.Minor {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestDeskFindsPeople(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		young, _ := w.resident(12)
		old := w.caller(7)
		for words, want := range map[string]int{"residente": 1, "NUMERO 12": 1, "anziana": 1, "0173": 1, // a piece of the number of who agreed
			"333 12": 0, "+39 333 12": 0, young.Phone: 1, strings.TrimPrefix(young.Phone, "+39"): 1, "nessuno": 0, "%%%": 0, "a' OR '1": 0} {
			found, err := w.Members.Find(ctx, atDesk, words, everywhere)
			if err != nil || len(found) != want {
				t.Errorf("%q: %d, %v; want %d", words, len(found), err, want)
			}
			for _, m := range found {
				if m.ID != old.ID && (m.Phone != "" || m.Email != "" || m.Account != "") {
					t.Errorf("%q shows %+v without consent", words, m)
				}
				if m.ID == old.ID && m.Phone == "" {
					t.Errorf("%q hides the number of who agreed", words)
				}
			}
		}
		_, err := w.Members.Find(ctx, atDesk, " an ", everywhere)
		refused(t, "two signs", err, fault.Invalid)
		_, err = w.Members.Find(ctx, office, "anziana", everywhere)
		refused(t, "the office", err, fault.Denied)
		seen := w.number(`SELECT count(*) FROM carpool_looks`)
		none, err := w.Members.Find(ctx, atDesk, "anziana", func(comune string) bool { return comune != old.Comune })
		if err != nil || len(none) != 0 || w.number(`SELECT count(*) FROM carpool_looks`) != seen {
			t.Errorf("of another comune: %v, %v; looks %d before, %d after", none, err, seen, w.number(`SELECT count(*) FROM carpool_looks`))
		}
		looks, err := w.Trust.Looks(ctx, old.ID)
		must(t, err)
		if len(looks) == 0 || looks[0].Who != "sportello" || looks[0].What != carpool.LookFind {
			t.Errorf("%+v", looks)
		}
		for range 200 {
			if _, err = w.Members.Find(ctx, atDesk, "anziana", everywhere); err != nil {
				break
			}
		}
		refused(t, "mass lookup", err, fault.Denied)
		w.now = w.now.Add(time.Hour + time.Minute)
		if _, err := w.Members.Find(ctx, atDesk, "anziana", everywhere); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestPlacesAndTheList(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		_, self := w.resident(1)
		p := carpool.Place{ID: "bergolo-piazza", Comune: bergolo, Name: "Bergolo, piazza", At: lonlat(8.18, 44.54), Kind: carpool.Square, Lit: true}
		_, err := w.Places.Put(ctx, self, p)
		refused(t, "by a resident", err, fault.Denied)
		for what, change := range map[string]func(*carpool.Place){
			"id": func(p *carpool.Place) { p.ID = "Bergolo Piazza" }, "name": func(p *carpool.Place) { p.Name = "" }, "kind": func(p *carpool.Place) { p.Kind = "bar" },
			"position": func(p *carpool.Place) { p.At.Lat = 91 }, "comune": func(p *carpool.Place) { p.Comune = "" }, "stop": func(p *carpool.Place) { p.Stop = "<a>" },
		} {
			bad := p
			change(&bad)
			_, err := w.Places.Put(ctx, office, bad)
			refused(t, what, err, fault.Invalid)
		}
		_, err = w.Places.Put(ctx, office, p)
		must(t, err)
		far := p
		far.ID, far.At, far.Name = "alba-ospedale", lonlat(8.03, 44.70), "Alba, ospedale"
		_, err = w.Places.Put(ctx, office, far)
		must(t, err)
		stolen := p
		stolen.Comune = "004003"
		_, err = w.Places.Put(ctx, office, stolen)
		refused(t, "another comune's", err, fault.Conflict)
		near, err := w.Places.Near(ctx, lonlat(8.181, 44.541), 10*time.Minute, 5)
		must(t, err)
		if len(near) != 1 || near[0].ID != p.ID || near[0].Walk.Time <= 0 || near[0].Walk.Time > 10*time.Minute {
			t.Errorf("%+v", near)
		}
		p.Closed = true
		_, err = w.Places.Put(ctx, office, p)
		must(t, err)
		if near, err := w.Places.Near(ctx, lonlat(8.181, 44.541), 10*time.Minute, 5); err != nil || len(near) != 0 {
			t.Errorf("closed: %+v, %v", near, err)
		}
		if all, err := w.Places.List(ctx, bergolo); err != nil || len(all) != 2 || all[0].ID != far.ID {
			t.Errorf("%+v, %v", all, err)
		}
		_, err = w.Places.Get(ctx, "nowhere\x00")
		refused(t, "no place", err, fault.NotFound)

		l, err := w.Places.PutListed(ctx, office, carpool.Listed{Name: "Auser", Phone: "0173 111222", Kind: "association", Hours: "lun–ven 8–12", Order: 1})
		must(t, err)
		_, err = w.Places.PutListed(ctx, office, carpool.Listed{Name: "Taxi", Phone: "333 1112223", Kind: "taxi", Hours: "sempre", Comune: "004003"})
		must(t, err)
		if list, err := w.Places.Listed(ctx, bergolo); err != nil || len(list) != 1 || list[0].Phone != "+390173111222" {
			t.Errorf("%+v, %v", list, err)
		}
		refused(t, "by a resident", w.Places.DropListed(ctx, self, l.ID), fault.Denied)
		must(t, w.Places.DropListed(ctx, office, l.ID))
		refused(t, "again", w.Places.DropListed(ctx, office, l.ID), fault.NotFound)
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"Maria", "👩‍👩‍👧", "a\u202eb", "\xff", strings.Repeat("x", 99), "مريم", "a\u0301\u0301\u0301\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := carpool.CleanName(s)
		if err != nil {
			return
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 60 || strings.ContainsAny(got, "\r\n\x00\u202e\u2028") || strings.TrimSpace(got) == "" {
			t.Errorf("%q became %q", s, got)
		}
		if again, err := carpool.CleanName(got); err != nil || again != got {
			t.Errorf("%q: %q, then %q, %v", s, got, again, err)
		}
	})
}

// A number that nobody proved tells nothing of others: it changes twice a day at
// most, and what somebody exports does not say that another has it.
func TestNumbersCannotBeTriedOut(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		victim, _ := w.resident(1)
		m, by := w.resident(2)
		change := func(by carpool.By, number string) error {
			m.Phone = number
			_, err := w.Members.Update(ctx, by, m)
			return err
		}
		must(t, change(by, "333 9990001"))
		must(t, change(by, "333 9990001")) // the same
		must(t, change(by, victim.Phone))
		err := change(by, "333 9990003")
		refused(t, "a third number", err, fault.Conflict)
		if now, _ := w.Members.Get(ctx, m.ID); now.Phone != victim.Phone || strings.Contains(err.Error(), "333") {
			t.Errorf("%s, %v", now.Phone, err)
		}
		if n := w.number(`SELECT count(*) FROM carpool_reports WHERE kind = 'same-phone'`); n != 1 {
			t.Errorf("the office reads of it %d times", n)
		}
		var mine bytes.Buffer
		must(t, w.Privacy.Export(ctx, by, m.ID, &mine))
		if strings.Contains(mine.String(), "same-phone") {
			t.Error("the export says that somebody else has the number")
		}
		w.consent(m.ID)
		must(t, change(carpool.By{Account: "sportello", Desk: true, Member: m.ID}, "333 9990004"))
		w.now = w.now.Add(25 * time.Hour)
		must(t, change(by, "333 9990005"))
	})
}
