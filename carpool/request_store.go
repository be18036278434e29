package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const requestColumns = `id, rider, by_who, consent, from_place, from_address, from_lon, from_lat, to_place, to_address, to_lon, to_lat,
	from_ms, to_ms, arrive, companions, needs, door, max_walk_ms, return_kind, outward, note, state,
	way, way_booking, way_listed, way_bus, way_until_ms, way_text, road_asked, again, step, searched_ms, created_ms, series`

func scanRequest(row scanner) (Request, error) {
	var r Request
	var needs, bus string
	var from, to, arrive, door, walk, until, road, again, searched, created int64
	err := row.Scan(&r.ID, &r.Rider, &r.By, &r.Consent, &r.From.Place, &r.From.kept, &r.From.At.Lon, &r.From.At.Lat,
		&r.To.Place, &r.To.kept, &r.To.At.Lon, &r.To.At.Lat,
		&from, &to, &arrive, &r.Companions, &needs, &door, &walk, &r.Return, &r.Outward, &r.Note, &r.State,
		&r.Way.Kind, &r.Way.Booking, &r.Way.Listed, &bus, &until, &r.Way.Text, &road, &again, &r.step, &searched, &created, &r.Series)
	if err != nil {
		return r, err
	}
	r.When = Window{From: moment(from), To: moment(to), Arrive: arrive != 0}
	r.DoorToDoor, r.MaxWalk, r.road, r.again = door != 0, time.Duration(walk)*time.Millisecond, road != 0, again != 0
	r.Way.Until, r.searched, r.Created = moment(until), moment(searched), moment(created)
	if err := unpack(bus, &r.Way.Bus); err != nil {
		return r, err
	}
	return r, unpack(needs, &r.Needs)
}

// requestsWhere reads requests by a condition, the earliest window first, coarse.
func requestsWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Request, error) {
	rows, err := tx.Query(ctx, `SELECT `+requestColumns+` FROM carpool_requests WHERE `+where+` ORDER BY from_ms, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	out, err := all(rows, scanRequest)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	return out, nil
}

// requestIn reads a request, coarse; NotFound where there is none.
func requestIn(ctx context.Context, tx *store.Tx, id RequestID) (Request, error) {
	out, err := requestsWhere(ctx, tx, `id = $1`, sentence(string(id)))
	if err != nil {
		return Request{}, err
	}
	if len(out) == 0 {
		return Request{}, fault.New(fault.NotFound, "there is no such request")
	}
	return out[0], nil
}

// putRequest writes a request, new or changed.
func putRequest(ctx context.Context, tx *store.Tx, r Request) error {
	needs, err := pack(r.Needs)
	if err != nil {
		return err
	}
	bus := ""
	if r.Way.Bus != nil {
		if bus, err = pack(r.Way.Bus); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO carpool_requests (`+requestColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)
		ON CONFLICT (id) DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms, arrive = excluded.arrive, state = excluded.state,
			way = excluded.way, way_booking = excluded.way_booking, way_listed = excluded.way_listed, way_bus = excluded.way_bus, way_until_ms = excluded.way_until_ms,
			way_text = excluded.way_text, road_asked = excluded.road_asked, again = excluded.again, step = excluded.step, searched_ms = excluded.searched_ms`,
		string(r.ID), string(r.Rider), r.By, r.Consent, string(r.From.Place), r.From.kept, r.From.At.Lon, r.From.At.Lat,
		string(r.To.Place), r.To.kept, r.To.At.Lon, r.To.At.Lat,
		millis(r.When.From), millis(r.When.To), flag(r.When.Arrive), r.Companions, needs, flag(r.DoorToDoor), r.MaxWalk.Milliseconds(), string(r.Return), string(r.Outward), r.Note, string(r.State),
		string(r.Way.Kind), string(r.Way.Booking), r.Way.Listed, bus, millis(r.Way.Until), r.Way.Text, flag(r.road), flag(r.again), r.step, millis(r.searched), millis(r.Created), string(r.Series))
	if err != nil {
		return fmt.Errorf("write request %s: %w", r.ID, err)
	}
	return nil
}

func (r *Request) exact(ctx context.Context, tx *store.Tx) (err error) {
	if r.From, err = exactSpot(ctx, tx, r.From); err != nil {
		return err
	}
	r.To, err = exactSpot(ctx, tx, r.To)
	return err
}

// over says whether a request has ended.
func (s RequestState) over() bool { return s == RequestDone || s == RequestWithdrawn }
