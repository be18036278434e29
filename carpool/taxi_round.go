package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
)

// taxiDays are how many whole days a look for patterns covers.
const taxiDays = 35

// roundTaxi looks once a day, after midnight, for what looks like a disguised
// taxi in the rides of the last weeks, and puts it in the inbox of the office.
// Nothing else follows from it. What the office has handled does not come up
// again for the same rides, nor while something else of that person is open.
func (t *Trust) roundTaxi(ctx context.Context) error {
	var seen bool
	err := t.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		_, seen, err = t.taxiMark(tx).done(ctx, tx)
		return err
	})
	if err != nil || seen {
		return err
	}
	return t.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		today, mark := DateOf(tx.Now, t.cfg.Location), t.taxiMark(tx)
		if _, done, err := mark.done(ctx, tx); err != nil || done {
			return err
		}
		until, err := Clock("00:00").On(today, t.cfg.Location)
		if err != nil {
			return err
		}
		rides, err := takenRides(ctx, tx, until.AddDate(0, 0, -taxiDays), until)
		if err != nil {
			return err
		}
		arrived := make(map[RideID]time.Time, len(rides))
		for _, r := range rides {
			arrived[r.Ride] = r.Arrive
		}
		rules := DefaultTaxiRules()
		rules.Location = t.cfg.Location
		for _, p := range rules.Patterns(rides) {
			if err := t.notePattern(ctx, tx, p, arrived[p.Rides[len(p.Rides)-1]]); err != nil {
				return err
			}
		}
		return mark.note(ctx, tx, "")
	})
}

// taxiMark is the mark of the look of a day.
func (t *Trust) taxiMark(tx *store.Tx) once {
	return once("taxi:" + string(DateOf(tx.Now, t.cfg.Location)))
}

// notePattern puts a pattern in the inbox, unless it is known: last is when its
// last ride ended.
func (t *Trust) notePattern(ctx context.Context, tx *store.Tx, p Pattern, last time.Time) error {
	since := last
	if p.On == "" { // it grows with each ride, and is one thing for as long as it is looked at
		since = tx.Now.AddDate(0, 0, -taxiDays)
	}
	var known int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_reports WHERE reporter = '' AND about = $1 AND kind = $2 AND (state = $3 OR body = $4 AND at_ms >= $5)`,
		string(p.Who), string(ReportTaxi), string(ReportOpen), p.Key, store.Millis(since)).Scan(&known)
	if err != nil {
		return fmt.Errorf("read reports of %s: %w", p.Who, err)
	}
	if known > 0 {
		return nil
	}
	r := Report{ID: newID("x"), About: p.Who, Ride: p.Rides[0], Kind: ReportTaxi, Text: p.Key}
	if err := putReport(ctx, tx, r); err != nil {
		return err
	}
	return t.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.report.note", Object: r.ID, Detail: map[string]string{"kind": string(r.Kind), "pattern": p.Key}})
}

// takenRides are the rides that left in a span and have ended, with those who
// were aboard. A ride that papers cancelled says nothing of its driver.
func takenRides(ctx context.Context, tx *store.Tx, from, to time.Time) ([]TakenRide, error) {
	rows, err := tx.Query(ctx, `SELECT r.id, r.driver, COALESCE(m.phone, ''), r.vehicle, COALESCE(v.plate, ''), r.seats + o.aboard, COALESCE(v.seats, 0),
			o.from_lon, o.from_lat, o.to_lon, o.to_lat, r.leave_ms, r.arrive_ms, o.recurs, r.state
		FROM carpool_rides r JOIN carpool_offers o ON o.id = r.offer
			LEFT JOIN carpool_members m ON m.id = r.driver LEFT JOIN carpool_vehicles v ON v.id = r.vehicle
		WHERE r.leave_ms >= $1 AND r.leave_ms < $2 AND r.driver <> '' AND (r.state = 'done' OR r.state = 'cancelled' AND r.reason <> $3)
		ORDER BY r.leave_ms, r.id`, store.Millis(from), store.Millis(to), reasonPapers)
	if err != nil {
		return nil, fmt.Errorf("read rides that ended: %w", err)
	}
	rides, err := all(rows, scanTaken)
	if err != nil || len(rides) == 0 {
		return nil, err
	}
	at := make(map[RideID]int, len(rides))
	for i, r := range rides {
		at[r.Ride] = i
	}
	rows, err = tx.Query(ctx, `SELECT b.ride, b.rider, COALESCE(m.phone, ''), b.pickup_ms, b.drop_ms, b.pickup_lon, b.pickup_lat, b.drop_lon, b.drop_lat FROM carpool_bookings b LEFT JOIN carpool_members m ON m.id = b.rider
		WHERE b.state IN ('accepted', 'boarded', 'completed') AND b.rider <> '' AND b.ride IN (SELECT id FROM carpool_rides WHERE leave_ms >= $1 AND leave_ms < $2)
		ORDER BY b.pickup_ms, b.id`, store.Millis(from), store.Millis(to))
	if err != nil {
		return nil, fmt.Errorf("read who was aboard: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ride RideID
		var p TakenRider
		var in, out int64
		var from, to geo.LonLat
		if err := rows.Scan(&ride, &p.Member, &p.Phone, &in, &out, &from.Lon, &from.Lat, &to.Lon, &to.Lat); err != nil {
			return nil, err
		}
		p.In, p.Out, p.From, p.To = moment(in), moment(out), CellOf(from), CellOf(to)
		if i, ok := at[ride]; ok {
			rides[i].Riders = append(rides[i].Riders, p)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return rides, platesOf(ctx, tx, rides)
}

// platesOf fills in the plates of the riders' own cars.
func platesOf(ctx context.Context, tx *store.Tx, rides []TakenRide) error {
	rows, err := tx.Query(ctx, `SELECT driver, plate FROM carpool_vehicles WHERE gone_ms = 0 AND plate <> ''`)
	if err != nil {
		return fmt.Errorf("read plates: %w", err)
	}
	defer rows.Close()
	plates := map[MemberID][]string{}
	for rows.Next() {
		var who MemberID
		var plate string
		if err := rows.Scan(&who, &plate); err != nil {
			return err
		}
		plates[who] = append(plates[who], plate)
	}
	for i := range rides {
		for j := range rides[i].Riders {
			rides[i].Riders[j].Plates = plates[rides[i].Riders[j].Member]
		}
	}
	return rows.Err()
}

func scanTaken(row scanner) (TakenRide, error) {
	var r TakenRide
	var fromLon, fromLat, toLon, toLat float64
	var leave, arrive, recurs int64
	var state RideState
	err := row.Scan(&r.Ride, &r.Driver, &r.Phone, &r.Vehicle, &r.Plate, &r.Seats, &r.MostSeats, &fromLon, &fromLat, &toLon, &toLat, &leave, &arrive, &recurs, &state)
	r.From, r.To = CellOf(geo.LonLat{Lon: fromLon, Lat: fromLat}), CellOf(geo.LonLat{Lon: toLon, Lat: toLat})
	r.Depart, r.Arrive = moment(leave), moment(arrive)
	r.Regular, r.Dropped = recurs != 0, state == RideCancelled
	return r, err
}
