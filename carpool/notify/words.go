package notify

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

//go:embed words
var wordFiles embed.FS

// Langs are the languages of the messages, the first is the default.
var Langs = []string{"it", "en"}

// role is as what somebody is told.
type role string

const (
	asRider   role = "rider"
	asDriver  role = "driver"
	asTrusted role = "trusted" // the trusted contact of a rider
	asAll     role = "all"
)

// parts of a message, as the files of words name them.
const (
	partTitle = "title" // one line
	partIntro = "intro" // what happened
	partDo    = "do"    // what to do; may be absent
	partSay   = "say"   // what an operator asks or does; may be absent
	partIO    = "io"    // for App IO: nothing personal of anybody else
	partSMS   = "sms"   // short
)

// catalog is the words of one language, as templates.
type catalog struct {
	common map[string]*template.Template
	kinds  map[carpool.NoticeKind]map[role]map[string]*template.Template
}

func readCatalog(lang string) (*catalog, error) {
	name := "words/" + lang + ".json"
	b, err := wordFiles.ReadFile(name)
	if err != nil {
		return nil, fault.New(fault.Internal, "read words: %w", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fault.New(fault.Internal, "read %s: %w", name, err)
	}
	c := &catalog{common: map[string]*template.Template{}, kinds: map[carpool.NoticeKind]map[role]map[string]*template.Template{}}
	for key, text := range raw {
		if key == "common" {
			var words map[string]string
			if err := json.Unmarshal(text, &words); err != nil {
				return nil, fault.New(fault.Internal, "read %s: common: %w", name, err)
			}
			for k, w := range words {
				if c.common[k], err = parse(k, w); err != nil {
					return nil, err
				}
			}
			continue
		}
		var roles map[role]map[string]string
		if err := json.Unmarshal(text, &roles); err != nil {
			return nil, fault.New(fault.Internal, "read %s: %s: %w", name, key, err)
		}
		kind := map[role]map[string]*template.Template{}
		for r, parts := range roles {
			kind[r] = map[string]*template.Template{}
			for part, w := range parts {
				if kind[r][part], err = parse(key+"."+string(r)+"."+part, w); err != nil {
					return nil, err
				}
			}
		}
		c.kinds[carpool.NoticeKind(key)] = kind
	}
	return c, nil
}

func parse(name, text string) (*template.Template, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fault.New(fault.Internal, "read words: %w", err)
	}
	return t, nil
}

// fill writes a template.
func fill(t *template.Template, with any) (string, error) {
	if t == nil {
		return "", nil
	}
	var b strings.Builder
	if err := t.Execute(&b, with); err != nil {
		return "", fault.New(fault.Internal, "fill words: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// word is a text of all kinds.
func (c *catalog) word(key string, with any) string {
	s, err := fill(c.common[key], with)
	if err != nil {
		return ""
	}
	return s
}

// of gives the words of a kind for a role, or those of the nearest role.
func (c *catalog) of(kind carpool.NoticeKind, r role) (map[string]*template.Template, error) {
	roles := c.kinds[kind]
	for _, r := range []role{r, asAll, asRider, asDriver} {
		if parts, ok := roles[r]; ok {
			return parts, nil
		}
	}
	return nil, fault.New(fault.Invalid, "there are no words for notices of kind %.40q", string(kind))
}

// message is a notice in words, before it is dressed for a channel.
type message struct {
	title, intro, do, say, io string
	details                   []detail
	sms                       string
}

// detail is one line of a message: "Partenza: Bergolo, piazza".
type detail struct{ label, text string }

// speak writes a notice in words.
func (c *catalog) speak(kind carpool.NoticeKind, r role, f facts) (message, error) {
	parts, err := c.of(kind, r)
	if err != nil {
		return message{}, err
	}
	var m message
	for part, to := range map[string]*string{partTitle: &m.title, partIntro: &m.intro, partDo: &m.do, partSay: &m.say} {
		if *to, err = fill(parts[part], f); err != nil {
			return m, fmt.Errorf("%s: %w", kind, err)
		}
	}
	if m.io, err = fill(parts[partIO], f.bare.marked()); err != nil {
		return m, fmt.Errorf("%s: %w", kind, err)
	}
	if m.sms, err = short(parts[partSMS], f); err != nil {
		return m, fmt.Errorf("%s: %w", kind, err)
	}
	m.details = c.details(f)
	return m, nil
}

// details are the lines that say when, from where, with whom.
func (c *catalog) details(f facts) []detail {
	var out []detail
	add := func(label, text string) {
		if text != "" {
			out = append(out, detail{c.word("label."+label, nil), text})
		}
	}
	when := "when"
	if f.Window {
		when = "wish"
	}
	add(when, f.When)
	add("from", f.FromLong)
	add("to", f.ToLong)
	add("with", f.Other)
	add("phone", f.Phone)
	add("car", f.TripCar)
	add("seats", f.Seats)
	add("cost", f.Cost)
	add("bus", f.BusSay)
	if f.Listed != "" {
		add("call", strings.TrimSpace(f.Listed+" "+f.ListedPhone))
		add("hours", f.ListedHours)
	}
	return out
}
