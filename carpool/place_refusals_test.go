package carpool_test

import (
	"errors"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// A clerk who may keep meeting points moves one about with "shown in the timetable"
// ticked: the refusals draw a circle around each door that is kept.
func TestAClerkFindsNoDoorByRefusals(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		rider := w.resident()
		door := geo.LonLat{Lon: 8.0437, Lat: 44.5713} // nothing of it but its cell is told to others
		r := need(wednesday, "07:00", "08:30")
		r.From, r.DoorToDoor = carpool.Spot{At: door, Address: "Cascina Sola 1"}, true
		w.request(rider, r, nil)
		tries := 0
		near := func(at geo.LonLat) bool {
			tries++
			_, err := w.Places.Put(t.Context(), carpool.By{Account: "sportello-di-bergolo"}, carpool.Place{ID: "prova", Comune: "004000", Name: "Prova", At: at, Kind: carpool.Square, Published: true})
			if err != nil && !errors.Is(err, carpool.ErrNearDoor) && !errors.Is(err, carpool.ErrManyDoors) {
				t.Fatal(err)
			}
			return errors.Is(err, carpool.ErrNearDoor)
		}
		middle := carpool.CellOf(door).Middle()
		var hit geo.LonLat
	scan:
		for y := -0.0048; y <= 0.0048; y += 0.0012 {
			for x := -0.0066; x <= 0.0066; x += 0.0016 {
				if hit = (geo.LonLat{Lon: middle.Lon + x, Lat: middle.Lat + y}); near(hit) {
					break scan
				}
			}
		}
		edge := func(from geo.LonLat, dx, dy float64) float64 { // how far the circle goes that way
			in, out := 0.0, 0.004
			for range 12 {
				if m := (in + out) / 2; near(geo.LonLat{Lon: from.Lon + m*dx, Lat: from.Lat + m*dy}) {
					in = m
				} else {
					out = m
				}
			}
			return in
		}
		lon := hit.Lon + (edge(hit, 1, 0)-edge(hit, -1, 0))/2
		up := geo.LonLat{Lon: lon, Lat: hit.Lat}
		lat := hit.Lat + (edge(up, 0, 1)-edge(up, 0, -1))/2
		if d := (geo.LonLat{Lon: lon, Lat: lat}).Distance(door); d < 20 {
			t.Errorf("the door, to %.1f m, after %d tries", float64(d), tries)
		}
	})
}

// A meeting point stays where those who agreed on it know it; a step aside is
// none, and without lifts to come it may go anywhere.
func TestAMeetingPointStaysUnderThoseWhoWait(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		ctx := t.Context()
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		bk := w.accepted(driver, rider, w.request(rider, need(wednesday, "07:00", "08:30"), nil))
		p, err := w.Places.Get(ctx, bk.Pickup.Spot.Place)
		must(t, err)
		move := func(by float64) error {
			p := p
			p.At.Lon += by
			_, err := w.Places.Put(ctx, office, p)
			return err
		}
		w.refused(move(0.02), fault.Conflict, "a meeting point moved by 1.6 km")
		must(t, move(0.0002)) // 16 m
		_, err = w.Bookings.Cancel(ctx, rider, bk.ID, "")
		must(t, err)
		must(t, move(0.02))
	})
}
