package page

import (
	"context"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// callFacts are what the sentence of a call may say.
type callFacts struct {
	words   map[string]string // by the name that stands in braces
	url     string            // of the journey, for whom the desk acts
	answers bool              // the booking still waits for an answer
}

// callFacts gathers what the things are called that a task names. A thing that
// is gone leaves its part of the sentence to "the portal knows no more".
func (p speech) callFacts(ctx context.Context, c carpool.Call, m carpool.Member) (callFacts, error) {
	f := callFacts{words: map[string]string{"nome": strings.TrimSpace(m.First + " " + m.Last), "dettagli": ""}, url: personPath(m.ID)}
	f.words["motivo"] = p.known("desk.reason." + c.With[carpool.WithReason])
	f.words["chi"] = p.known("desk.by." + c.With[carpool.WithBy])
	if until := c.With[carpool.WithUntil]; until != "" {
		f.words["entro"] = p.date(carpool.Date(until))
	}
	if c.With[carpool.WithTo] == "trusted" {
		f.words["persona"], f.words["nome"] = f.words["nome"], m.Trusted.Name
	}
	if id := c.With[carpool.WithBooking]; id != "" {
		b, err := p.deskBooking(ctx, m, carpool.BookingID(id))
		if err != nil && !gone(err) {
			return f, err
		}
		if err == nil && b != nil {
			f.answers = b.State == carpool.Asked
			for k, v := range map[string]string{"quando": b.Leave, "da": b.From, "a": b.To, "arrivo": b.Arrive, "autista": b.Driver, "passeggero": b.Rider,
				"telefono": b.Phone, "auto": b.Car, "contributo": b.Price} {
				f.words[k] = v
			}
		}
	}
	if id := c.With[carpool.WithRequest]; id != "" {
		req, err := p.deps.Bookings.RequestOf(ctx, deskFor(ctx, m.ID), carpool.RequestID(id))
		if err != nil && !gone(err) {
			return f, err
		}
		if err == nil {
			if err := p.requestFacts(ctx, &f, req, m); err != nil {
				return f, err
			}
		}
	}
	return f, p.listedFacts(ctx, &f, c.With[carpool.WithListed])
}

// gone says whether a thing cannot be seen any more.
func gone(err error) bool {
	switch fault.Of(err) {
	case fault.NotFound, fault.Denied:
		return err != nil
	}
	return false
}

func (p speech) requestFacts(ctx context.Context, f *callFacts, req carpool.Request, m carpool.Member) error {
	from, err := p.spotName(ctx, req.From)
	if err != nil {
		return err
	}
	to, err := p.spotName(ctx, req.To)
	if err != nil {
		return err
	}
	f.words["quando"], f.words["da"], f.words["a"] = p.window(req.When), from, to
	if req.Rider == m.ID {
		f.url = requestPath(m.ID, req.ID)
	}
	return p.listedFacts(ctx, f, req.Way.Listed)
}

// listedFacts are the name and number of somebody on the union's list.
func (p speech) listedFacts(ctx context.Context, f *callFacts, id string) error {
	if id == "" {
		return nil
	}
	list, err := p.deps.Points.Listed(ctx, "")
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.ID == id {
			f.words["chiamare"], f.words["numero"], f.words["orari"] = l.Name, l.Phone, l.Hours
		}
	}
	return nil
}

// sentence is what the operator reads out: the words of the notice where the
// task brings one, else a greeting, what it is about, and what can be asked.
// Where something that the words name is not known any more, the plain
// sentence of the kind is read.
func (p speech) sentence(ctx context.Context, c carpool.Call, f callFacts) (string, error) {
	if c.Notice != "" && p.deps.Spoken != nil {
		text, err := p.deps.Spoken(ctx, string(p.lang), c.Notice)
		if err != nil && !gone(err) || text != "" {
			return text, err
		}
		return p.word("desk.say.settled"), nil
	}
	body := p.fill("desk.say."+c.Kind, f.words)
	if body == "" {
		body = p.known("desk.say." + c.Kind + ".plain")
	}
	if body == "" {
		body = p.word("desk.say.other")
	}
	return strings.TrimSpace(p.fill("desk.say.hello", f.words) + " " + body), nil
}

// fill puts values in the place of their names in braces; "" where there are
// no such words, or a value is not known.
func (p speech) fill(key string, values map[string]string) string {
	text := p.known(key)
	if text == "" {
		return ""
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || values[name] == "" {
			return ""
		}
		out.WriteString(values[name])
		text = after
	}
}
