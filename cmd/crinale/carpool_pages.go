package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	cplpage "github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/mail"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	plnpage "github.com/crinale/crinale/planning/page"
)

var (
	_ cplpage.Bookings      = (*carpool.Bookings)(nil)
	_ cplpage.Offers        = (*carpool.Offers)(nil)
	_ cplpage.Members       = (*carpool.Members)(nil)
	_ cplpage.Trust         = (*carpool.Trust)(nil)
	_ cplpage.Talk          = (*carpool.Talk)(nil)
	_ cplpage.Privacy       = (*carpool.Privacy)(nil)
	_ cplpage.Places        = (*carpool.Places)(nil)
	_ cplpage.StaffDesk     = (*carpool.Desk)(nil)
	_ cplpage.StaffTrust    = (*carpool.Trust)(nil)
	_ cplpage.StaffTalk     = (*carpool.Talk)(nil)
	_ cplpage.StaffBookings = (*carpool.Bookings)(nil)
	_ cplpage.StaffMembers  = (*carpool.Members)(nil)
	_ cplpage.StaffPrivacy  = (*carpool.Privacy)(nil)
	_ cplpage.StaffLifts    = (*carpool.Portal)(nil)
	_ cplpage.StaffPlaces   = (*carpool.Places)(nil)
	_ cplpage.Accounts      = (*login.People)(nil)
	_ cplpage.StaffAccounts = (*login.People)(nil)
	_ cplpage.CodeCalls     = (*carpool.Desk)(nil)
)

// wireCarpoolPages mounts the portal's pages: those of residents, and those of
// the desk, the officers, the comuni and the management.
func (s *server) wireCarpoolPages(w world, k *kept) error {
	pc := cplpage.Default()
	pc.Key, pc.Caps, pc.Kept = k.key, s.cfg.Carpool.Caps, time.Duration(s.cfg.Carpool.RidesKeptDays)*24*time.Hour
	pc.Union = cplpage.Contacts{Desk: s.cfg.Carpool.DeskPhone, Hours: s.cfg.Carpool.DeskHours, Mail: s.cfg.Carpool.Contact, DPO: s.cfg.Carpool.DPO}
	pd := cplpage.Deps{
		Shell: s.web, Union: w.union, Members: s.carpool.Members, Places: s.carpool.Places, Offers: s.carpool.Offers,
		Bookings: s.carpool.Bookings, Trust: s.carpool.Trust, Talk: s.carpool.Talk, Privacy: s.carpool.Privacy,
		Accounts: s.people, Calendar: s.notify, Shown: s.notify.Shown, Log: s.log,
	}
	if s.mailer != nil {
		pd.ByMail = codes{s.mailer}
	}
	if s.sms != nil {
		pd.BySMS = smsCodes{s.sms}
	}
	if s.cfg.Carpool.DeskPhone != "" {
		pd.ByVoice = s.carpool.Desk
	}
	if w.codes != nil {
		pd.ByMail, pd.BySMS = shownCodes{w.codes}, shownCodes{w.codes}
	}
	pages, err := cplpage.New(pc, pd)
	if err != nil {
		return fmt.Errorf("carpool pages: %w", err)
	}
	if err := pages.Mount(); err != nil {
		return fmt.Errorf("carpool pages: %w", err)
	}
	sc := cplpage.StaffDefault()
	sc.Tiles, sc.Credit, sc.Native = plnpage.ReliefTiles, w.terrain.Source().Source, plnpage.NativeZoom(w.terrain.Source().CellM)
	staff, err := cplpage.NewStaff(sc, cplpage.StaffDeps{
		Shell: s.web, Union: w.union, Members: s.carpool.Members, Points: s.carpool.Places, Bookings: s.carpool.Bookings,
		Trust: s.carpool.Trust, Desk: s.carpool.Desk, Talk: s.carpool.Talk, Privacy: s.carpool.Privacy, Lifts: s.carpool,
		Messages: givenUp{s.outbox, s.audit}, Figures: served{s.carpool}, Spoken: s.notify.Spoken, Accounts: s.people, Operators: s.operators(), Log: s.log,
	})
	if err != nil {
		return fmt.Errorf("carpool pages: %w", err)
	}
	return staff.Mount()
}

// codes takes a code to an e-mail address.
type codes struct{ mailer *mail.Mailer }

func (c codes) SendCode(ctx context.Context, to, code, lang string) error {
	subject, text := "Il tuo codice per i passaggi", "Il codice è "+code+".\n\nScrivilo nella pagina dove ti è stato chiesto. Chi non l'ha chiesto può ignorare questo messaggio.\n"
	if lang == "en" {
		subject, text = "Your code for the lifts", "The code is "+code+".\n\nType it on the page that asked for it. If you did not ask, ignore this message.\n"
	}
	return c.mailer.Send(ctx, mail.Message{Key: "code-" + strings.ToLower(rand.Text()), To: to, Subject: subject, Text: text})
}

// smsCodes takes a code to a mobile.
type smsCodes struct{ sms *notify.SMS }

func (c smsCodes) SendCode(ctx context.Context, to, code, lang string) error {
	text := "Passaggi: il codice e' " + code + ". Chi non l'ha chiesto lo ignori."
	if lang == "en" {
		text = "Lifts: your code is " + code + ". If you did not ask, ignore it."
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return c.sms.SendCode(ctx, to, text)
}

// shownCodes writes the codes of the demo where its owner started it: it sends
// nothing to anybody.
type shownCodes struct{ w io.Writer }

func (c shownCodes) SendCode(_ context.Context, to, code, _ string) error {
	_, err := fmt.Fprintf(c.w, "The demo sends nothing: the code for %s is %s\n", to, code)
	return err
}

// givenUp shows the messages of the outbox that no try delivered; what staff
// does with one stands in the audit log.
type givenUp struct {
	box *outbox.Box
	log *audit.Log
}

func (g givenUp) List(ctx context.Context) ([]cplpage.GivenUp, error) {
	all, err := g.box.List(ctx, 200)
	if err != nil {
		return nil, err
	}
	out := make([]cplpage.GivenUp, len(all))
	for i, m := range all {
		out[i] = cplpage.GivenUp{ID: m.ID, Queue: m.Queue, Tries: m.Tries, Error: m.Error, Added: m.Added}
	}
	return out, nil
}

func (g givenUp) Retry(ctx context.Context, id string) error {
	err := g.log.Do(ctx, audit.Entry{Action: "carpool.message.retry", Object: id}, func(tx *store.Tx) error { return g.box.RetryIn(ctx, tx, id) })
	if err == nil {
		g.box.Wake()
	}
	return err
}

func (g givenUp) Drop(ctx context.Context, id string) error {
	return g.log.Do(ctx, audit.Entry{Action: "carpool.message.drop", Object: id}, func(tx *store.Tx) error { return g.box.DropIn(ctx, tx, id) })
}

// served gives the management its figures.
type served struct{ portal *carpool.Portal }

func (s served) Figures(ctx context.Context, from, to time.Time) (cplpage.PortalFigures, error) {
	f, err := s.portal.ServedIn(ctx, from, to)
	if err != nil {
		return cplpage.PortalFigures{}, err
	}
	out := cplpage.PortalFigures{Needed: f.Needed, Served: f.Lifts, Stated: f.Stated, CO2Kg: f.CO2Kg, Method: f.Method}
	for _, st := range []carpool.RequestState{carpool.RequestOpen, carpool.RequestWaiting, carpool.RequestBooked, carpool.RequestListed, carpool.RequestDesk, carpool.RequestDone, carpool.RequestWithdrawn} {
		out.Requests = append(out.Requests, cplpage.CountOf{State: string(st), Count: f.Requests[st]})
	}
	for _, st := range []carpool.BookingState{carpool.Asked, carpool.Accepted, carpool.Boarded, carpool.Completed, carpool.Declined, carpool.Cancelled, carpool.NoShow} {
		out.Bookings = append(out.Bookings, cplpage.CountOf{State: string(st), Count: f.Bookings[st]})
	}
	for m := from; m.Before(to); m = m.AddDate(0, 1, 0) {
		month, err := s.portal.ServedIn(ctx, m, m.AddDate(0, 1, 0))
		if err != nil {
			return cplpage.PortalFigures{}, err
		}
		out.Months = append(out.Months, cplpage.MonthFigures{Month: m.Format("2006-01"), Needed: month.Needed, Served: month.Lifts, CO2Kg: month.CO2Kg})
	}
	return out, nil
}
