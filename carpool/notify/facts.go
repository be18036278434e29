package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/crinale/crinale/carpool"
)

// facts are what the words of a message are filled with, as text in its
// language. Nothing in them can end a line or carry a mark.
type facts struct {
	bare

	First    string // who is told
	For      string // whom it is about, where the reader is their guardian or trusted contact
	Other    string // the other of a booking; "" when unknown
	Who      string // Other, or "Una persona" where a sentence begins
	WhoLow   string // Other, or "una persona" within a sentence
	WhoShort string // first name, for a short message
	Heard    bool   // an answer by short message is read
	Phone    string
	TripCar  string
	When     string // "lunedì 23 novembre alle 7:10"
	Window   bool   // When is a wish's
	Short    string // "lun 23/11 ore 7:10"
	From, To string // short names, for a short message
	FromLong string
	ToLong   string
	Seats    string
	Cost     string // "2,40 euro"
	Deadline string
	By       string
	StateSay string
	Alarm    bool   // somebody asks for help
	BusSay   string // "23, alle 7:10, da Bergolo, piazza"

	Listed, ListedPhone, ListedHours string
	Office                           string
}

// bare are the facts that say nothing of anybody else: all that App IO gets.
type bare struct {
	Day      string // "lunedì 23 novembre"
	DayShort string // "lun 23/11"
	Time     string // "alle 7:10"
	Until    string
	Car      string // one's own, of a check
	ByKey    string
	Bus      bool
	Kept     bool   // a lift was changed, and this booking of it was not
	Stopped  bool   // the car stopped on the way
	Desk     string // phone of the desk
}

// marked are the facts for a text in Markdown: what somebody typed stays
// letters.
func (b bare) marked() bare {
	b.Car, b.Desk = markdown(b.Car), markdown(b.Desk)
	return b
}

// factsOf are the facts of a notice for its reader.
func (n *Notifier) factsOf(lang string, v carpool.NoticeView) facts {
	c := n.words[lang]
	f := facts{First: plain(v.Reach.First, 40), For: plain(v.For, 40), Office: n.cfg.Office,
		bare: bare{Desk: n.cfg.DeskPhone, Bus: v.Bus != nil, ByKey: v.Notice.With[carpool.WithBy], Car: plain(v.Car, 40)}}
	if v.Until != "" {
		if day, err := time.ParseInLocation(time.DateOnly, string(v.Until), n.cfg.Location); err == nil {
			f.Until = dayOf(lang, day)
		}
	}
	switch f.ByKey {
	case "rider", "driver", "desk":
	default:
		f.ByKey = "program"
	}
	f.By = c.word("by."+f.ByKey, nil)
	f.Alarm = v.Notice.With[carpool.WithReason] == "alarm"
	f.Kept = v.Notice.With[carpool.WithReason] == carpool.ReasonOfferChanged
	f.Stopped = v.Notice.With[carpool.WithReason] == carpool.ReasonStopped
	if b := v.Bus; b != nil && b.Line != "" {
		f.BusSay = plain(b.Line, 30)
		if !b.Depart.IsZero() {
			f.BusSay += ", " + at(lang, b.Depart.In(n.cfg.Location))
		}
		if from := plain(b.From, 60); from != "" {
			f.BusSay += ", " + from
		}
	}
	f.Who, f.WhoLow = c.word("who.start", nil), c.word("who", nil)
	f.WhoShort, f.Heard = f.WhoLow, n.cfg.Heard
	if l := v.Listed; l != nil {
		f.Listed, f.ListedPhone, f.ListedHours = plain(l.Name, 80), plain(l.Phone, 24), plain(l.Hours, 120)
	}
	if v.Trip != nil {
		n.tripFacts(lang, c, *v.Trip, &f)
	}
	if f.Short == "" {
		f.Short = f.DayShort
	}
	return f
}

func (n *Notifier) tripFacts(lang string, c *catalog, t carpool.NoticeTrip, f *facts) {
	leave, arrive := t.Leave.In(n.cfg.Location), t.Arrive.In(n.cfg.Location)
	f.Day, f.DayShort = dayOf(lang, leave), dayShort(lang, leave)
	f.Time = at(lang, leave)
	f.When, f.Short = f.Day+" "+f.Time, f.DayShort+" "+clockShort(lang, leave)
	if f.Window = t.Window; t.Window && !t.Arrive.IsZero() {
		f.When = f.Day + ", " + between(lang, leave, arrive)
		if carpool.DateOf(t.Leave, n.cfg.Location) != carpool.DateOf(t.Arrive, n.cfg.Location) {
			f.When = f.Day + " " + f.Time + " – " + dayOf(lang, arrive) + " " + at(lang, arrive)
		}
	}
	if t.Other != "" {
		f.Other = plain(t.Other, 80)
		f.Who, f.WhoLow = f.Other, f.Other
		f.WhoShort = plain(t.Other, 80)
	}
	f.Phone, f.TripCar = plain(t.Phone, 24), plain(t.Car, 60)
	f.From, f.FromLong = endOf(c, t, t.From, t.FromDoor, t.FromAddress)
	f.To, f.ToLong = endOf(c, t, t.To, t.ToDoor, t.ToAddress)
	if t.Seats > 1 {
		f.Seats = strconv.Itoa(t.Seats)
	}
	if t.Cents > 0 {
		f.Cost = euro(lang, t.Cents)
	}
	if !t.Deadline.IsZero() && t.State == carpool.Asked {
		d := t.Deadline.In(n.cfg.Location)
		f.Deadline = dayOf(lang, d) + " " + at(lang, d)
	}
	state := string(t.State)
	if f.Stopped {
		state = "stopped"
	}
	f.StateSay = c.word("state."+state, nil)
}

// endOf is one end of a journey, for a short message and for a long one. An
// address is only in the long one, which is only for the voice of the desk.
func endOf(c *catalog, t carpool.NoticeTrip, place string, door bool, address string) (short, long string) {
	switch {
	case !door:
		return plain(place, 60), plain(place, 120)
	case address != "":
		return c.word("door.short", nil), plain(address, 200)
	case t.Driver:
		return c.word("door.short", nil), c.word("door.other", nil)
	}
	return c.word("door.short", nil), c.word("door.mine", nil)
}

// plain is a text that others typed, as one line without control characters,
// bidirectional marks or anything that hides, of at most so many characters.
func plain(s string, most int) string {
	var b strings.Builder
	space, n := false, 0
	for _, r := range strings.ToValidUTF8(s, "") {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			space = n > 0
			continue
		}
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == unicode.ReplacementChar {
			continue
		}
		if n >= most {
			break
		}
		if space && n < most-1 {
			b.WriteByte(' ')
			n++
		}
		space = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}

var (
	daysIt    = [...]string{"domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"}
	monthsIt  = [...]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}
	daysShort = [...]string{"dom", "lun", "mar", "mer", "gio", "ven", "sab"}
)

// dayOf is "lunedì 23 novembre".
func dayOf(lang string, t time.Time) string {
	if lang == "en" {
		return t.Format("Monday 2 January")
	}
	return fmt.Sprintf("%s %d %s", daysIt[t.Weekday()], t.Day(), monthsIt[t.Month()-1])
}

// dayShort is "lun 23/11".
func dayShort(lang string, t time.Time) string {
	if lang == "en" {
		return t.Format("Mon 2/1")
	}
	return fmt.Sprintf("%s %d/%d", daysShort[t.Weekday()], t.Day(), int(t.Month()))
}

// at is "alle 7:10".
func at(lang string, t time.Time) string {
	switch clock := clockOf(t); {
	case lang == "en":
		return "at " + clock
	case t.Hour() == 1:
		return "all’" + clock
	default:
		return "alle " + clock
	}
}

// between is "tra le 7:00 e le 9:00".
func between(lang string, from, to time.Time) string {
	if lang == "en" {
		return "between " + clockOf(from) + " and " + clockOf(to)
	}
	return "tra le " + clockOf(from) + " e le " + clockOf(to)
}

func clockShort(lang string, t time.Time) string {
	if lang == "en" {
		return "at " + clockOf(t)
	}
	return "ore " + clockOf(t)
}

func clockOf(t time.Time) string { return fmt.Sprintf("%d:%02d", t.Hour(), t.Minute()) }

// euro is "2,40 euro".
func euro(lang string, cents int) string {
	if lang == "en" {
		return fmt.Sprintf("%d.%02d euro", cents/100, cents%100)
	}
	return fmt.Sprintf("%d,%02d euro", cents/100, cents%100)
}
