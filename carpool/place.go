package carpool

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/unit"
)

const placeColumns = `id, comune, name, lon, lat, kind, stop, lit, shelter, step_free, note, closed, published`

func scanPlace(row scanner) (Place, error) {
	var p Place
	var lit, shelter, step, closed, published int64
	err := row.Scan(&p.ID, &p.Comune, &p.Name, &p.At.Lon, &p.At.Lat, &p.Kind, &p.Stop, &lit, &shelter, &step, &p.Note, &closed, &published)
	p.Lit, p.Shelter, p.StepFree, p.Closed, p.Published = lit != 0, shelter != 0, step != 0, closed != 0, published != 0
	return p, err
}

// placeIn reads a meeting point, a closed one too; NotFound where there is none.
func placeIn(ctx context.Context, tx *store.Tx, id PlaceID) (Place, error) {
	p, err := scanPlace(tx.QueryRow(ctx, `SELECT `+placeColumns+` FROM carpool_places WHERE id = $1`, sentence(string(id))))
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.New(fault.NotFound, "there is no such meeting point")
	}
	if err != nil {
		return p, fmt.Errorf("read place %.40q: %w", string(id), err)
	}
	return p, nil
}

// placesIn are those of a comune, or all for "", by name.
func placesIn(ctx context.Context, tx *store.Tx, comune string) ([]Place, error) {
	rows, err := tx.Query(ctx, `SELECT `+placeColumns+` FROM carpool_places WHERE $1 = '' OR comune = $1 ORDER BY name, id`, sentence(comune))
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return all(rows, scanPlace)
}

// List gives the meeting points of a comune, "" for all, closed ones too.
func (p *Places) List(ctx context.Context, comune string) ([]Place, error) {
	var out []Place
	if comune == "" {
		return p.points.get(ctx, p.deps.Store)
	}
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = placesIn(ctx, tx, comune); return err })
	return out, err
}

// Get gives one meeting point.
func (p *Places) Get(ctx context.Context, id PlaceID) (Place, error) {
	var out Place
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = placeIn(ctx, tx, id); return err })
	return out, err
}

var (
	placeForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	stopForm   = regexp.MustCompile(`^[A-Za-z0-9._:-]{0,60}$`)
	placeKinds = []PlaceKind{BusStop, Square, CarPark, Health, SchoolGate, Station, Landmark}
)

func (c Config) checkPlace(p Place) (Place, error) {
	var err error
	switch {
	case len(p.ID) > maxName || !placeForm.MatchString(string(p.ID)):
		return p, fault.New(fault.Invalid, "name of the meeting point: a-z, 0-9 and - between them, at most %d, as bergolo-piazza", maxName)
	case len(p.Comune) != 6 || !digits(p.Comune):
		return p, fault.New(fault.Invalid, "comune: choose one of the list")
	case !p.At.Valid():
		return p, fault.New(fault.Invalid, "position: latitude and longitude in degrees, as 44.5472, 8.1836")
	case !slices.Contains(placeKinds, p.Kind):
		return p, fault.New(fault.Invalid, "kind of the meeting point: choose one of the list")
	case !stopForm.MatchString(p.Stop):
		return p, fault.New(fault.Invalid, "bus stop: its id in the timetable, letters, digits and . _ : -")
	}
	if p.Name, err = cleanName("what people call it", p.Name, maxName, true); err != nil {
		return p, err
	}
	p.Note, err = cleanText("note", p.Note, c.Limits.Note, false)
	return p, err
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Put adds a meeting point or changes it, for the comune or the office. One
// that is closed is not offered any more; none is taken away, since rides of
// the past name it. A meeting point does not move to another comune. One that is
// published is clear of every door that is kept.
func (p *Places) Put(ctx context.Context, by By, pl Place) (Place, error) {
	if by.Account == "" || by.Member != "" {
		return Place{}, fault.New(fault.Denied, "only the comune and the office keep the meeting points")
	}
	pl, err := p.cfg.checkPlace(pl)
	if err != nil {
		return Place{}, err
	}
	err = p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.place.put", Object: string(pl.ID), Detail: map[string]string{"comune": pl.Comune, "closed": fmt.Sprint(pl.Closed)}}, func(tx *store.Tx) error {
		old, err := placeIn(ctx, tx, pl.ID)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err == nil && old.Comune != pl.Comune {
			return fault.New(fault.Conflict, "meeting point %s: another comune has one of this name; choose another name", pl.ID)
		}
		if err == nil {
			if err := stays(ctx, tx, old, pl); err != nil {
				return err
			}
		}
		if pl.Published && !pl.Closed && p.doors.spent(by.Account, tx.Now) {
			return ErrManyDoors
		}
		if err := clearOfDoors(ctx, tx, pl); err != nil {
			if errors.Is(err, ErrNearDoor) {
				p.doors.note(by.Account, tx.Now)
				p.deps.Log.Warn("a meeting point was refused for a door nearby", "account", by.Account, "point", pl.ID)
			}
			return err
		}
		return putPlace(ctx, tx, pl)
	})
	p.points.changed()
	if err != nil {
		return Place{}, fmt.Errorf("keep a meeting point: %w", err)
	}
	return pl, nil
}

// nudge is by how much a meeting point may move under those who wait there: as
// far as one sees who stands there.
const nudge unit.Metres = 30

// stays refuses to move a meeting point while lifts to come stop at it: their
// riders and drivers know it where it is.
func stays(ctx context.Context, tx *store.Tx, old, pl Place) error {
	if old.At.Distance(pl.At) <= nudge {
		return nil
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_bookings WHERE (pickup_place = $1 OR drop_place = $1) AND state IN ('asked', 'accepted', 'boarded') AND drop_ms > $2`,
		string(old.ID), store.Millis(tx.Now)).Scan(&n); err != nil {
		return fmt.Errorf("read the lifts at %s: %w", old.ID, err)
	}
	if n > 0 {
		return fault.New(fault.Conflict, "meeting point %s: %d lifts to come stop there; close it, and make a new one where it should be", old.ID, n)
	}
	return nil
}

func putPlace(ctx context.Context, tx *store.Tx, p Place) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_places (`+placeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, lon = excluded.lon, lat = excluded.lat, kind = excluded.kind, stop = excluded.stop,
			lit = excluded.lit, shelter = excluded.shelter, step_free = excluded.step_free, note = excluded.note, closed = excluded.closed, published = excluded.published`,
		string(p.ID), p.Comune, p.Name, p.At.Lon, p.At.Lat, string(p.Kind), p.Stop, flag(p.Lit), flag(p.Shelter), flag(p.StepFree), p.Note, flag(p.Closed), flag(p.Published))
	if err != nil {
		return fmt.Errorf("write place %s: %w", p.ID, err)
	}
	return nil
}

// briskWalk bounds what a walk can reach: nobody walks faster uphill and down.
const briskWalk unit.Metres = 2 // in a second

// Near gives up to n open meeting points within a walk, the nearest first.
func (p *Places) Near(ctx context.Context, at geo.LonLat, walk time.Duration, n int) ([]NearPlace, error) {
	if !at.Valid() {
		return nil, fault.New(fault.Invalid, "position: latitude and longitude in degrees")
	}
	places, err := p.List(ctx, "")
	if err != nil {
		return nil, err
	}
	reach := briskWalk * unit.Metres(walk.Seconds())
	places = slices.DeleteFunc(places, func(pl Place) bool { return pl.Closed || at.Distance(pl.At) > reach })
	slices.SortFunc(places, func(a, b Place) int { return cmp.Compare(at.Distance(a.At), at.Distance(b.At)) })
	out := []NearPlace{}
	for _, pl := range places[:min(len(places), 3*max(n, 0))] {
		leg, err := p.deps.Roads.Walk(ctx, at, pl.At)
		if err != nil {
			return nil, fmt.Errorf("walk to %s: %w", pl.ID, err)
		}
		if leg.OK && leg.Time <= walk {
			out = append(out, NearPlace{Place: pl, Walk: leg})
		}
	}
	slices.SortStableFunc(out, func(a, b NearPlace) int { return cmp.Compare(a.Walk.Time, b.Walk.Time) })
	return out[:min(len(out), n)], nil
}
