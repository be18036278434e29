package page

import (
	"strconv"
	"strings"

	"github.com/crinale/crinale/carpool"
)

// tableLine is one line of a table that the desk pastes or types on a special
// day: somebody who needs to get somewhere, most often a child to school.
type tableLine struct {
	N        int // as it stands in the text, from 1
	Who      string
	Guardian string // of a minor
	From, To string
	At       carpool.Clock // to be there
	Back     carpool.Clock // "" none
	Consent  string        // of the guardian: "voice", "paper", "" not asked yet
	Seats    int           // child seats
	Note     string
	Wrong    string // key of words; "" when it can be read
}

// tableColumns are how many cells a line has at most: who, guardian, from, to,
// time, way back, consent, child seats, note.
const tableColumns = 9

// tableHeads are first cells of a line that names the columns.
var tableHeads = map[string]bool{"chi": true, "nome": true, "who": true, "name": true, "bambino": true, "persona": true, "child": true}

// readTable reads a table with tabs or semicolons between cells, as copied from
// a spreadsheet or typed. Empty lines and a line of heads are left out. Of
// what cannot be read the line says why; more than most lines are not read,
// and false is given.
func readTable(text string, most int) ([]tableLine, bool) {
	var out []tableLine
	for i, raw := range strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		if strings.TrimSpace(strings.Trim(raw, ";\t ")) == "" {
			continue
		}
		cells := tableCells(raw)
		if len(out) == 0 && tableHeads[fold(cells[0])] {
			continue
		}
		if len(out) == most {
			return out, false
		}
		out = append(out, readLine(i+1, cells))
	}
	return out, true
}

// tableCells cuts a line; a cell that a spreadsheet put into quotes loses them.
func tableCells(raw string) []string {
	cut := ";"
	if strings.Contains(raw, "\t") {
		cut = "\t"
	}
	cells := strings.Split(raw, cut)
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if len(c) > 1 && strings.HasPrefix(c, `"`) && strings.HasSuffix(c, `"`) {
			c = strings.ReplaceAll(c[1:len(c)-1], `""`, `"`)
		}
		cells[i] = strings.Join(strings.Fields(c), " ")
	}
	return cells
}

func readLine(n int, cells []string) tableLine {
	l := tableLine{N: n}
	if len(cells) > tableColumns {
		l.Who, l.Wrong = cells[0], "columns"
		return l
	}
	for len(cells) < tableColumns {
		cells = append(cells, "")
	}
	l.Who, l.Guardian, l.From, l.To, l.Note = cells[0], cells[1], cells[2], cells[3], cells[8]
	for _, c := range cells {
		if len(c) > maxTyped {
			l.Wrong = "long"
			return l
		}
	}
	if l.Who == "" || l.From == "" || l.To == "" || cells[4] == "" {
		l.Wrong = "empty"
		return l
	}
	if l.At = tableClock(cells[4]); l.At == "" {
		l.Wrong = "time"
		return l
	}
	switch back := fold(cells[5]); back {
	case "", "no", "nessuno", "none":
	default:
		if l.Back = tableClock(cells[5]); l.Back == "" || l.Back <= l.At {
			l.Wrong = "back"
			return l
		}
	}
	switch fold(cells[6]) {
	case "", "no":
	case "voce", "voice", "v", "telefono":
		l.Consent = "voice"
	case "carta", "paper", "c", "firma", "modulo":
		l.Consent = "paper"
	default:
		l.Wrong = "consent"
		return l
	}
	if cells[7] != "" {
		seats, err := strconv.Atoi(cells[7])
		if err != nil || seats < 0 || seats > 4 {
			l.Wrong = "seats"
			return l
		}
		l.Seats = seats
	}
	return l
}

// tableClock reads a time of day as it is typed; "" for none.
func tableClock(text string) carpool.Clock {
	text = strings.ToLower(text)
	if m := clockOf.FindStringSubmatch(text); m != nil {
		return clockFrom(m[1], m[2])
	}
	if hourOf.MatchString(text) {
		return clockFrom(text, "00")
	}
	return ""
}
