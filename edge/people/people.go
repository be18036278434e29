// Package people knows the employees who may read a comune's documents at its
// edge: who was invited, from which devices they come, and who is in now.
package people

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Person is somebody who was invited.
type Person struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Groups  []string  `json:"groups"`
	Invited time.Time `json:"invited"`
	// Code says that a code waits to be used, until CodeUntil.
	Code      string    `json:"code,omitempty"` // its SHA-256
	CodeUntil time.Time `json:"code_until,omitzero"`
	Devices   []Device  `json:"devices"`
}

// Device is a browser from which somebody came.
type Device struct {
	ID     string    `json:"id"`
	Secret string    `json:"secret,omitempty"` // SHA-256 of what its cookie holds
	PIN    string    `json:"pin,omitempty"`    // HMAC-SHA256 of the PIN under what its cookie holds
	Since  time.Time `json:"since"`
	Last   time.Time `json:"last"`
	Author string    `json:"author,omitempty"` // SHA-256 of what names the author of writes
	Wrong  int       `json:"wrong,omitempty"`  // PINs in a row
	Shut   time.Time `json:"shut,omitzero"`    // until when no PIN is taken
}

// Event is something that changed.
type Event struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Person string    `json:"person"` // its id
	Device string    `json:"device,omitempty"`
	By     string    `json:"by,omitempty"`
	Groups []string  `json:"groups,omitempty"`
}

// Config is how a book is kept. Begin with Default.
type Config struct {
	File   string
	Idle   time.Duration // of a session without a request
	Most   time.Duration // of a session
	Unused time.Duration // after which a device is forgotten
	Code   time.Duration // how long a code is good
	Now    func() time.Time
}

// Default is half an hour, twelve hours, 90 days and a week.
func Default() Config {
	return Config{Idle: 30 * time.Minute, Most: 12 * time.Hour, Unused: 90 * 24 * time.Hour, Code: 7 * 24 * time.Hour, Now: time.Now}
}

// Bounds.
const (
	mostPeople  = 500
	mostDevices = 8 // of one person; the one longest unused goes
	mostGroups  = 32
	mostEvents  = 5000
	keepEvents  = 183 * 24 * time.Hour
)

// Book is the people of one edge. All of it is safe for many goroutines.
type Book struct {
	cfg Config
	log *slog.Logger

	mu       sync.Mutex
	state    state
	sessions map[[32]byte]*session
}

// state is what is on the disk.
type state struct {
	Form   int      `json:"form"`
	People []Person `json:"people"`
	Events []Event  `json:"events"`
}

// Open reads the book; one that is not there is empty.
func Open(c Config, log *slog.Logger) (*Book, error) {
	if c.File == "" || c.Idle <= 0 || c.Most <= 0 || c.Unused <= 0 || c.Code <= 0 || c.Now == nil {
		return nil, fault.New(fault.Invalid, "people: file, idle, most, unused, code and now are needed: begin with Default()")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Book{cfg: c, log: log, sessions: map[[32]byte]*session{}}
	var err error
	if b.state, err = read(c.File); err != nil {
		return nil, err // and never written over
	}
	return b, nil
}

var groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

func checkGroups(groups []string) ([]string, error) {
	if len(groups) > mostGroups {
		return nil, fault.New(fault.Invalid, "%d groups: give at most %d", len(groups), mostGroups)
	}
	for _, g := range groups {
		if !groupName.MatchString(g) {
			return nil, fault.New(fault.Invalid, "group %.80q: write small letters, digits, dots, hyphens", g)
		}
	}
	groups = slices.Clone(groups)
	slices.Sort(groups)
	return slices.Compact(groups), nil
}

// Invite adds a person, and gives the code that they type once.
func (b *Book) Invite(name string, groups []string, by string) (p Person, code string, err error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return Person{}, "", fault.New(fault.Invalid, "name %.80q: write the person's name", name)
	}
	if groups, err = checkGroups(groups); err != nil {
		return Person{}, "", err
	}
	err = b.change(func(s *state) (Event, error) {
		if len(s.People) >= mostPeople {
			return Event{}, fault.New(fault.Conflict, "%d people are in the book: remove some", mostPeople)
		}
		for _, o := range s.People {
			if strings.EqualFold(o.Name, name) {
				return Event{}, fault.New(fault.Conflict, "%s is invited already, as %s: give them another code, or write the name so that people can tell them apart", o.Name, o.ID)
			}
		}
		p = Person{ID: newID(s), Name: name, Groups: groups, Invited: b.cfg.Now().UTC(), Devices: []Device{}}
		code = b.newCode(&p)
		s.People = append(s.People, p)
		return Event{What: "invited", Person: p.ID, By: by, Groups: groups}, nil
	})
	return p.shown(), code, err
}

// Again gives another code to somebody, for one more device; the one before is
// good no more.
func (b *Book) Again(id, by string) (code string, err error) {
	err = b.of(id, by, "invited again", func(p *Person, _ *Event) error {
		code = b.newCode(p)
		return nil
	})
	return code, err
}

// SetGroups says which groups somebody is in from now on.
func (b *Book) SetGroups(id string, groups []string, by string) error {
	groups, err := checkGroups(groups)
	if err != nil {
		return err
	}
	return b.of(id, by, "groups", func(p *Person, e *Event) error {
		p.Groups, e.Groups = groups, groups
		return nil
	})
}

// Forget lets go of somebody's devices; they need another code.
func (b *Book) Forget(id, by string) error {
	return b.of(id, by, "devices forgotten", func(p *Person, _ *Event) error {
		p.Devices = []Device{}
		return nil
	})
}

// Remove takes somebody out, at once and with all their devices.
func (b *Book) Remove(id, by string) error {
	return b.change(func(s *state) (Event, error) {
		i := slices.IndexFunc(s.People, func(p Person) bool { return p.ID == id })
		if i < 0 {
			return Event{}, unknown(id)
		}
		s.People = slices.Delete(s.People, i, i+1)
		return Event{What: "removed", Person: id, By: by}, nil
	})
}

// of changes one person.
func (b *Book) of(id, by, what string, do func(*Person, *Event) error) error {
	return b.change(func(s *state) (Event, error) {
		for i := range s.People {
			if s.People[i].ID == id {
				e := Event{What: what, Person: id, By: by}
				return e, do(&s.People[i], &e)
			}
		}
		return Event{}, unknown(id)
	})
}

func unknown(id string) error {
	return fault.New(fault.NotFound, "person %.80q: nobody has this id (crinale edge people list)", id)
}

// People are all, by name, without what opens anything.
func (b *Book) People() []Person {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Person, len(b.state.People))
	for i, p := range b.state.People {
		out[i] = p.shown()
	}
	slices.SortFunc(out, func(a, b Person) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Person is somebody by their id, without what opens anything.
func (b *Book) Person(id string) (Person, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.state.People {
		if p.ID == id {
			return p.shown(), true
		}
	}
	return Person{}, false
}

// Events are what changed, the oldest first.
func (b *Book) Events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.state.Events)
}

// shown is a person without hashes.
func (p Person) shown() Person {
	p.Code = ""
	p.Groups = slices.Clone(p.Groups)
	p.Devices = slices.Clone(p.Devices)
	for i := range p.Devices {
		p.Devices[i].Secret, p.Devices[i].PIN, p.Devices[i].Author = "", "", ""
	}
	return p
}

func (p Person) employee() edge.Employee {
	return edge.Employee{ID: p.ID, Name: p.Name, Groups: slices.Clone(p.Groups)}
}
