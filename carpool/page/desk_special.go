package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

const (
	specialPath = deskPath + "/giornata"
	mostTable   = 40000 // characters
)

// specialLine is what came of one line of the table.
type specialLine struct {
	N                      int
	Who, Guardian, Journey string
	URL                    string
	Outcome, Wrong         string

	line     tableLine
	member   carpool.Member
	from, to carpool.Spot
}

type specialView struct {
	Trouble         *staffTrouble
	Once            string
	Lines           []specialLine
	Good, Bad       int
	Day, Why, Table staffField
}

// dayPage is /passaggi/sportello/giornata.
func (s *Staff) dayPage(w http.ResponseWriter, r *http.Request) error {
	return s.showSpecial(w, r, s.blank(r, "giorno", dayOf(s.of(r).today().Plus(1))), nil)
}

func (s *Staff) showSpecial(w http.ResponseWriter, r *http.Request, f *staffForm, lines []specialLine) error {
	v := specialView{Trouble: f.trouble(), Once: newOnce(), Lines: lines,
		Day: f.field("text", "giorno", "desk.special.day").most(10), Why: f.field("text", "perche", "desk.special.why").most(60),
		Table: f.field("area", "tabella", "desk.special.table").most(mostTable)}
	for _, l := range lines {
		if l.Wrong != "" {
			v.Bad++
		} else {
			v.Good++
		}
	}
	return s.html.WriteStatus(w, r, f.status(), "special-day.html", s.deskPageView(web.View{Title: "desk.special.title", Data: v}))
}

// specialDay reads the table and asks for a lift for each line. A line that
// cannot be done says why; the others are done. Sent again, what was done is
// not done again.
func (s *Staff) specialDay(w http.ResponseWriter, r *http.Request) error {
	f, err := s.form(r, "giorno", "perche", "tabella", "once")
	if err != nil {
		return err
	}
	p, ctx := s.of(r), r.Context()
	typed, why, text := f.must("giorno"), f.must("perche"), f.lines("tabella", mostTable)
	day, wrong := readDate(typed)
	switch {
	case typed != "" && wrong != nil:
		f.bad("giorno", "desk.wrong.day")
	case typed != "" && day < p.today():
		f.bad("giorno", "desk.wrong.past")
	}
	table, whole := readTable(text, s.cfg.Lines)
	switch {
	case !whole:
		f.bad("tabella", "desk.special.many", s.cfg.Lines)
	case len(table) == 0:
		f.bad("tabella", "desk.special.none")
	}
	if !f.ok() {
		return s.showSpecial(w, r, f, nil)
	}
	lines, err := p.specialLines(ctx, day, table)
	if err != nil {
		return err
	}
	if err := p.doSpecial(ctx, day, why, lines); err != nil {
		return err
	}
	return s.showSpecial(w, r, f, lines)
}

// specialLines finds out what each line means: the person, both ends, the
// consent.
func (p speech) specialLines(ctx context.Context, day carpool.Date, table []tableLine) ([]specialLine, error) {
	points, err := p.deps.Points.List(ctx, "")
	if err != nil {
		return nil, err
	}
	names := newDeskNames(points, p.deps.Union)
	known := map[string][]carpool.Member{} // found already: a guardian stands in many lines
	out := make([]specialLine, len(table))
	for i, line := range table {
		l := specialLine{N: line.N, Who: line.Who, Guardian: line.Guardian, line: line, Journey: line.From + " – " + line.To + ", " + string(line.At)}
		wrong := line.Wrong
		if wrong == "" {
			if wrong, err = p.specialLine(ctx, &l, day, names, known); err != nil {
				return nil, err
			}
		}
		if wrong != "" {
			l.Wrong = p.known("desk.special.wrong." + wrong)
			if l.Wrong == "" {
				l.Wrong = p.word("desk.special.wrong.failed", wrong)
			}
		}
		out[i] = l
	}
	return out, nil
}

// specialLine fills in a line; what it gives is a key of words, or the error of
// the portal, "" when all is found.
func (p speech) specialLine(ctx context.Context, l *specialLine, day carpool.Date, names deskNames, known map[string][]carpool.Member) (string, error) {
	at, err := l.line.At.On(day, p.shell.Location())
	if err != nil {
		return "time", nil
	}
	if !at.After(p.shell.Now()) {
		return "past", nil
	}
	from, ok := names.find(l.line.From)
	if !ok || len(from.choice) > 0 {
		return "from", nil
	}
	to, ok := names.find(l.line.To)
	if !ok || len(to.choice) > 0 {
		return "to", nil
	}
	l.from, l.to = from.spot, to.spot
	wrong, err := p.specialWho(ctx, l, known)
	if err != nil || wrong != "" {
		return wrong, err
	}
	l.Who, l.URL = p.forWhom(l.member).Name, personPath(l.member.ID)
	return p.specialConsent(ctx, l)
}

// specialWho finds the person of a line; a minor whom nobody has written down
// yet is written down with the guardian, who must be known.
func (p speech) specialWho(ctx context.Context, l *specialLine, known map[string][]carpool.Member) (string, error) {
	found, err := p.exact(ctx, l.line.Who, known)
	if err != nil {
		return p.mendableWords(err)
	}
	guardian := carpool.Member{}
	if l.line.Guardian != "" {
		who, err := p.exact(ctx, l.line.Guardian, known)
		if err != nil {
			return p.mendableWords(err)
		}
		who = slices.DeleteFunc(who, func(m carpool.Member) bool { return m.Minor })
		if len(who) != 1 {
			return "guardian", nil
		}
		guardian = who[0]
		found = slices.DeleteFunc(found, func(m carpool.Member) bool { return m.Minor && m.Guardian != guardian.ID })
	}
	switch {
	case len(found) > 1:
		return "who-many", nil
	case len(found) == 1:
		l.member = found[0]
		if found[0].Minor && guardian.ID == "" {
			return "guardian-needed", nil
		}
		return "", nil
	case guardian.ID == "":
		return "who", nil
	case l.line.Consent == "":
		return "guardian-needed", nil
	}
	first, last, ok := strings.Cut(l.line.Who, " ")
	if !ok {
		return "who", nil
	}
	l.member, err = p.deps.Members.Register(ctx, carpool.By{Account: web.Who(ctx).Person, Desk: true}, carpool.Registration{
		Member:   carpool.Member{First: first, Last: last, Comune: guardian.Comune, Minor: true, Guardian: guardian.ID, Lang: "it", Needs: carpool.Needs{ChildSeats: l.line.Seats}},
		Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk, carpool.ConsentMinor}, How: l.line.Consent})
	if err == nil {
		known[fold(l.line.Who)] = append(known[fold(l.line.Who)], l.member)
	}
	return p.mendableWords(err)
}

// exact are the people whose whole name or number is words. Nobody is looked
// for twice: each look is counted and written down.
func (p speech) exact(ctx context.Context, words string, known map[string][]carpool.Member) ([]carpool.Member, error) {
	if len([]rune(words)) < minSought {
		return nil, nil
	}
	key := fold(words)
	found, ok := known[key]
	if !ok {
		all, err := p.find(ctx, words)
		if fault.Of(err) == fault.Invalid {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(all, func(m carpool.Member) bool { return !isThem(m, words) })
		known[key] = found
	}
	return slices.Clone(found), nil
}

// specialConsent writes down the consents that the line brings; without them
// nothing is asked for.
func (p speech) specialConsent(ctx context.Context, l *specialLine) (string, error) {
	missing, err := p.missing(ctx, l.member)
	if err != nil || len(missing) == 0 {
		return "", err
	}
	if l.line.Consent == "" {
		return "consent-needed", nil
	}
	for _, what := range missing {
		_, err := p.deps.Members.Consent(ctx, deskFor(ctx, l.member.ID), l.member.ID, what, l.line.Consent)
		if wrong, err := p.mendableWords(err); err != nil || wrong != "" {
			return wrong, err
		}
	}
	return "", nil
}

// mendableWords takes an error that the operator can mend as words.
func (p speech) mendableWords(err error) (string, error) {
	switch fault.Of(err) {
	case fault.Invalid, fault.Conflict, fault.Denied:
		return staffFault(p.html, p.lang, err.Error(), fault.Of(err)), nil
	}
	return "", err
}

// doSpecial asks for lifts for all lines with the same end and times at once.
func (p speech) doSpecial(ctx context.Context, day carpool.Date, why string, lines []specialLine) error {
	type journey struct {
		to       carpool.Spot
		at, back carpool.Clock
		note     string
	}
	groups := map[journey][]int{}
	var order []journey
	for i, l := range lines {
		if l.Wrong != "" {
			continue
		}
		j := journey{l.to, l.line.At, l.line.Back, l.line.Note}
		if _, ok := groups[j]; !ok {
			order = append(order, j)
		}
		groups[j] = append(groups[j], i)
	}
	for _, j := range order {
		at, err := j.at.On(day, p.shell.Location())
		if err != nil {
			return err
		}
		d := carpool.SpecialDay{Mark: specialMark(day, why, j.to, j.at, j.back), From: lines[groups[j][0]].from, To: j.to, When: windowOf(at, true, p.cfg.Slack), Note: j.note}
		if d.When.From.Before(p.shell.Now()) {
			d.When.From = p.shell.Now()
		}
		if j.back != "" {
			home, err := j.back.On(day, p.shell.Location())
			if err != nil {
				return err
			}
			back := windowOf(home, false, p.cfg.Slack)
			d.Back = &back
		}
		for _, i := range groups[j] {
			from := lines[i].from
			d.Riders = append(d.Riders, carpool.SpecialRider{Member: lines[i].member.ID, From: &from, ChildSeats: lines[i].line.Seats})
		}
		results, err := p.deps.Desk.SpecialDay(ctx, deskFor(ctx, ""), d)
		if wrong, err := p.mendableWords(err); err != nil {
			return err
		} else if wrong != "" {
			for _, i := range groups[j] {
				lines[i].Wrong = p.word("desk.special.wrong.failed", wrong)
			}
			continue
		}
		for n, i := range groups[j] {
			if n < len(results) {
				if err := p.specialResult(ctx, &lines[i], results[n]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (p speech) specialResult(ctx context.Context, l *specialLine, res carpool.SpecialResult) error {
	if res.Err != "" {
		l.Wrong = p.word("desk.special.wrong.failed", staffFault(p.html, p.lang, res.Err, fault.Conflict))
		return nil
	}
	way, err := p.way(ctx, res.Request, l.member.Comune)
	l.Outcome, l.URL = way.Text, requestPath(l.member.ID, res.Request.ID)
	return err
}

// specialMark names a day's journey, so that the same table sent again asks for
// nothing twice. It holds no name.
func specialMark(day carpool.Date, why string, to carpool.Spot, at, back carpool.Clock) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{fold(why), string(to.Place), fold(to.Address), string(at), string(back)}, "\x00")))
	return "giornata-" + string(day) + "-" + hex.EncodeToString(sum[:10])
}
