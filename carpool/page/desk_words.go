package page

import (
	"net/http"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// speech is the pages of staff in the language of a request.
type speech struct {
	*Staff
	lang web.Lang
}

func (s *Staff) of(r *http.Request) speech { return speech{s, web.LangOf(r)} }

// word is the words of a key.
func (p speech) word(key string, args ...any) string { return p.html.Text(p.lang, key, args...) }

// known is the words of a key, "" where there are none: kinds and reasons are
// named by others.
func (p speech) known(key string, args ...any) string {
	if text := p.html.Text(p.lang, key); text == key {
		return ""
	}
	return p.html.Text(p.lang, key, args...)
}

// day is "lunedì 23 novembre".
func (p speech) day(at time.Time) string {
	at = at.In(p.shell.Location())
	return p.word("desk.day", p.word("desk.weekday."+weekdayKeys[at.Weekday()]), at.Day(), p.word("desk.month."+monthKeys[at.Month()-1]))
}

var (
	weekdayKeys = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	monthKeys   = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

// moment is "lunedì 23 novembre, ore 9:30".
func (p speech) moment(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return p.word("desk.moment", p.day(at), at.In(p.shell.Location()).Format("15:04"))
}

// date is a day without a time; "–" for none.
func (p speech) date(d carpool.Date) string {
	t, err := time.ParseInLocation(time.DateOnly, string(d), p.shell.Location())
	if err != nil {
		return "–"
	}
	return p.word("desk.date", p.day(t), t.Year())
}

// today is the day of the shell's clock where the portal is.
func (p speech) today() carpool.Date { return carpool.DateOf(p.shell.Now(), p.shell.Location()) }

// window is when a journey must be.
func (p speech) window(w carpool.Window) string {
	if w.From.IsZero() && w.To.IsZero() {
		return "–"
	}
	if w.Arrive {
		return p.word("desk.arrive-by", p.moment(w.To))
	}
	return p.word("desk.leave-from", p.moment(w.From))
}

// euro is a sum as people say it.
func (p speech) euro(cents int) string {
	if cents == 0 {
		return p.word("desk.free")
	}
	return web.Number(p.lang, float64(cents)/100, 2) + "\u00a0€"
}
