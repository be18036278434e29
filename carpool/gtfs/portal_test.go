package gtfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/roads"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// The feed of the real portal, with drivers who start at their doors, is valid
// and has no stop near any of them.
func TestFeedOfPortal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
		ok(err)
		ok(log.Open(ctx))
		box, err := outbox.New(outbox.Default(), outbox.Deps{Store: db})
		ok(err)
		ok(box.Open(ctx))
		p, err := carpool.New(carpool.Default(), carpool.Deps{Store: db, Audit: log, Outbox: box, Roads: roads.NewEstimate(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		ok(err)
		ok(p.Open(ctx))
		var places []carpool.Place
		for i := range 6 {
			pl, err := p.Places.Put(ctx, carpool.By{Account: "office"}, carpool.Place{ID: carpool.PlaceID(fmt.Sprintf("borgo-%d", i)), Comune: "004000", Name: fmt.Sprintf("Borgo %d, piazza", i),
				At: geo.LonLat{Lon: 8 + 0.03*float64(i), Lat: 44.55}, Kind: carpool.Square, Lit: true, Published: i > 0})
			ok(err)
			places = append(places, pl)
		}
		// The first lives beside a square, the second well away from one, the third
		// starts at a square.
		doors := []geo.LonLat{places[0].At.Toward(90, 40), places[2].At.Toward(0, 700)}
		for i, from := range []carpool.Spot{{Address: "via Alta 1", At: doors[0]}, {Address: "via Bassa 2", At: doors[1]}, {Place: places[1].ID}} {
			by := carpool.By{Account: fmt.Sprintf("r-%d", i)}
			m, err := p.Members.Register(ctx, by, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentCheck},
				Member: carpool.Member{First: "Autista", Last: "Cognomi", Phone: fmt.Sprintf("+39333%07d", i), Comune: "004000"}})
			ok(err)
			by.Member = m.ID
			v, err := p.Members.PutVehicle(ctx, by, carpool.Vehicle{Driver: m.ID, Plate: fmt.Sprintf("AB%03dCD", i), Label: "Panda", Class: "car", Seats: 4})
			ok(err)
			ok(db.Do(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO carpool_checks (id, driver, vehicle, state, licence, insurance, roadworthy, reason, officer, asked_ms, decided_ms)
					VALUES ($1, $2, $3, 'passed', '2028-12-31', '2028-12-31', '2028-12-31', '', 'p-1', 1, 1)`, "c-"+string(v.ID), string(m.ID), string(v.ID))
				return err
			}))
			_, err = p.Offers.Add(ctx, by, carpool.Offer{Vehicle: v.ID, From: from, To: carpool.Spot{Place: places[5].ID}, Seats: 3, MaxDetour: 10 * time.Minute, DoorToDoor: from.Private(),
				When: carpool.Schedule{Time: "07:30", Rule: "FREQ=WEEKLY;BYDAY=MO,TH", First: "2026-11-23"}}, "")
			ok(err)
		}
		feed := func() Feed {
			pub, err := p.Published(ctx, p.Today(now), Window+1)
			ok(err)
			return Feed{Publisher: "Unione di prova", URL: "https://unione.example/passaggi", Location: rome(t), Today: p.Today(now),
				Link:   func(o carpool.OfferID) string { return "https://unione.example/passaggi/offerta/" + string(o) },
				Places: pub.Places, Offers: pub.Offers, Rides: pub.Rides}
		}
		f := feed()
		z, left := written(t, f)
		if found := append(Check(z, DefaultLimits()), CheckProfile(z, places, doors, DefaultLimits())...); len(found) > 0 {
			t.Errorf("%v", found)
		}
		if left.Written < 20 || left.NoStop+left.TooNear > 0 {
			t.Errorf("%+v of %d rides", left, len(f.Rides))
		}
		table, err := ReadZip(z, DefaultLimits())
		ok(err)
		for _, s := range table.stops {
			for _, d := range doors {
				if s.at.Distance(d) < Clear {
					t.Errorf("%s is %v from a door", s.name, s.at.Distance(d))
				}
			}
		}
		if n := table.About().Trips; n != 3 {
			t.Errorf("%d trips for three offers", n)
		}

		// Somebody asks from a door: wherever it is, the feed stays as it is to the
		// byte, and beside a published place no door is kept.
		var before bytes.Buffer
		ok(Write(&before, f))
		by := carpool.By{Account: "r-9"}
		m, err := p.Members.Register(ctx, by, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms},
			Member: carpool.Member{First: "Residente", Last: "Cognomi", Phone: "+393339999999", Comune: "004000"}})
		ok(err)
		by.Member = m.ID
		for i, at := range []geo.LonLat{places[0].At.Toward(180, 30), places[3].At.Toward(0, 99), places[4].At.Toward(0, 150)} {
			_, err := p.Bookings.Request(ctx, by, carpool.Request{Rider: m.ID, From: carpool.Spot{Address: "via Nuova 3", At: at}, To: carpool.Spot{Place: places[5].ID}, DoorToDoor: true,
				When: carpool.Window{From: now.Add(time.Duration(24*(i+1)) * time.Hour), To: now.Add(time.Duration(24*(i+1))*time.Hour + time.Hour)}}, nil, "")
			if near := i == 1; near != errors.Is(err, carpool.ErrUsePoint) || !near && err != nil {
				t.Errorf("door %d: %v", i, err)
			}
			var after bytes.Buffer
			ok(Write(&after, feed()))
			if !bytes.Equal(before.Bytes(), after.Bytes()) {
				t.Errorf("door %d changed the feed", i)
			}
		}
		places[0].Published = true
		if _, err := p.Places.Put(ctx, carpool.By{Account: "office"}, places[0]); !errors.Is(err, carpool.ErrNearDoor) {
			t.Errorf("a point beside a door is published: %v", err)
		}
	})
}
