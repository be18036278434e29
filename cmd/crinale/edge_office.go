package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/mirror"
	"github.com/crinale/crinale/edge/page"
	"github.com/crinale/crinale/edge/people"
	"github.com/crinale/crinale/edge/queue"
	"github.com/crinale/crinale/edge/remote"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// newOffice makes the pages on which employees read and write, where edge.yaml has
// a reader.
func (s *edgeServer) newOffice() error {
	r := s.policy.Reader
	if r == nil {
		return nil
	}
	for i := range r.Archives {
		m, err := newArchive(&r.Archives[i], s.data, edgeLimit{s}, s.log)
		if err != nil {
			return err
		}
		s.mirrors = append(s.mirrors, m)
	}
	return nil
}

// openOffice opens what the office rests on: who may enter.
func (s *edgeServer) openOffice() error {
	r := s.policy.Reader
	if r == nil {
		return nil
	}
	c := people.Default()
	c.File = filepath.Join(s.data, "people.json")
	c.Idle, c.Unused = time.Duration(r.IdleMin*float64(time.Minute)), time.Duration(r.DeviceDays*24*float64(time.Hour))
	var err error
	if s.people, err = people.Open(c, s.log); err != nil {
		return err
	}
	place := s.policy.Title
	d := page.OfficeDeps{People: s.people, Stand: s.watch.Stand, Log: s.log, Writes: officeWrites{s.queue}}
	if len(r.Register) > 0 {
		d.Books = officeBooks{s.queue.Books(), strings.ToUpper(s.policy.Name)}
	}
	for i, a := range r.Archives {
		d.Archives = append(d.Archives, page.Archive{Name: a.Name, Title: a.Title, Documents: archiveDocuments{s.mirrors[i]}})
	}
	s.office, err = page.NewOffice(page.OfficeConfig{Place: place, Secure: s.secure(), Domain: r.AuthorDomain, Register: r.Register, Writes: r.Writes, Zone: zone.Rome()}, d)
	return err
}

// copying keeps the copy of an archive. Trouble with it ends nothing else.
func (s *edgeServer) copying(m *mirror.Mirror) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			err := m.Run(ctx)
			if ctx.Err() != nil {
				return nil
			}
			s.log.Error("an archive cannot be kept", "err", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Minute):
			}
		}
	}
}

// noOffice says that the pages of employees cannot be had, where the file of who
// may enter cannot be read: nobody is let in by guessing, and all else goes on.
func noOffice(w http.ResponseWriter, _ *http.Request) {
	page.Say(w, http.StatusServiceUnavailable, page.Note{Title: "Le pagine dei documenti ora non si possono aprire",
		Text: "Avvisi chi cura il nodo: l’elenco di chi può entrare non si legge.", English: "The list of who may enter cannot be read: tell whoever looks after this machine."})
}

// newArchive makes the mirror of one archive.
func newArchive(a *edge.ArchivePolicy, data string, limit mirror.Limit, log *slog.Logger) (*mirror.Mirror, error) {
	pass, err := secret(a.At.String()+": secret_file", a.SecretFile)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(a.From, "://") { // one that is not there now may come: what was copied is read meanwhile
		return archive(a, remote.NewFolder(a.From, a.Groups), data, limit, log)
	}
	from, err := openPlace(a.At.String()+": from", "secret_file", a.From, pass, a.Groups, a.PerSecond)
	if err != nil {
		return nil, err
	}
	return archive(a, from, data, limit, log)
}

func archive(a *edge.ArchivePolicy, from edge.Source, data string, limit mirror.Limit, log *slog.Logger) (*mirror.Mirror, error) {
	c := mirror.Default()
	c.Dir = filepath.Join(data, "archives", a.Name)
	c.Every, c.Keep = time.Duration(a.EveryMin*float64(time.Minute)), time.Duration(a.KeepDays*24*float64(time.Hour))
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fault.New(fault.Refused, "%s: %w", a.At, err)
	}
	return mirror.New(c, mirror.Deps{Source: from, Limit: limit, Log: log})
}

// archiveDocuments are those of one mirror.
type archiveDocuments struct{ *mirror.Mirror }

func (d archiveDocuments) Open(ctx context.Context, groups []string, path string) (io.ReadSeekCloser, edge.Hit, int64, error) {
	doc, err := d.OpenDocument(ctx, groups, path)
	if err != nil {
		return nil, edge.Hit{}, 0, err
	}
	return doc.File, edge.Hit{Path: doc.Path, Modified: doc.Modified, Fetched: doc.Fetched, Stale: doc.Stale}, doc.Size, nil
}

func (d archiveDocuments) Last() (time.Time, int) {
	l := d.Mirror.Last()
	return l.At, l.Documents
}

// officeBooks are the registers of this edge's comune.
type officeBooks struct {
	queue.Books
	comune string
}

func (b officeBooks) Open(officer, cause string, since time.Time) (*edge.Register, error) {
	return b.Books.Open(b.comune, officer, cause, since)
}

func (b officeBooks) Line(id, by string, d edge.Direction, correspondent, subject string) (edge.RegisterLine, error) {
	return b.Books.Line(id, by, d, correspondent, subject, "")
}

func (b officeBooks) List() ([]*edge.Register, error) { return b.Books.List(b.comune) }

// officeWrites are the writes that wait, as pages show them.
type officeWrites struct{ q *queue.Queue }

func (o officeWrites) List(person string) ([]page.Write, error) {
	all, err := o.q.List(queue.Filter{Person: person})
	if err != nil {
		return nil, err
	}
	out := []page.Write{}
	for _, e := range slices.Backward(all) {
		if out = append(out, shownWrite(e, nil)); len(out) == 500 {
			break
		}
	}
	return out, nil
}

func (o officeWrites) Show(number string) (page.Write, error) {
	e, events, err := o.q.Show(number)
	return shownWrite(e, events), err
}

func (o officeWrites) Body(number string, theirs bool) (io.ReadCloser, string, error) {
	e, _, err := o.q.Show(number)
	if err != nil {
		return nil, "", err
	}
	kind := e.Header.Get("Content-Type")
	if theirs && e.Theirs != nil {
		kind = e.Theirs.ContentType
	}
	body, err := o.q.Body(number, theirs)
	return body, kind, err
}

func (o officeWrites) Resolve(number, keep, by string) error {
	_, err := o.q.Resolve(number, queue.Keep(keep), by)
	return err
}

func (o officeWrites) Cancel(number, by string) error { return o.q.Cancel(number, by) }

const dayAndHour = "02/01/2006 15:04"

func shownWrite(e queue.Entry, events []queue.Event) page.Write {
	w := page.Write{Number: e.Number, Person: e.Person.ID, What: e.Rule + ": " + e.Service + e.Target, State: e.State, Reason: e.Reason, Official: e.Official,
		Accepted: e.Accepted.In(zone.Rome()).Format(dayAndHour), Expires: e.Expires.In(zone.Rome()).Format(dayAndHour)}
	if t := e.Theirs; t != nil {
		w.TheirsAbsent, w.TheirsPartial, w.TheirsModified = t.Absent, t.Partial, t.Modified
	}
	for _, v := range events {
		w.Events = append(w.Events, page.WriteEvent{At: v.At.In(zone.Rome()).Format(dayAndHour), State: v.To.Words().It, Reason: v.Reason})
	}
	return w
}
