package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostVehicles of one driver: neighbours have few cars.
const mostVehicles = 4

var plateForm = regexp.MustCompile(`^[A-Z0-9]{4,10}$`)

// Plate is a number plate as it is kept: capitals and digits alone.
func Plate(s string) (string, error) {
	bad := fault.New(fault.Invalid, "plate: write it as it stands on the car, AB 123 CD")
	if len(s) > 30 {
		return "", bad
	}
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "", "·", "", "\u00a0", "").Replace(s))
	if !plateForm.MatchString(s) || !strings.ContainsAny(s, "0123456789") {
		return "", bad
	}
	return s, nil
}

// checkVehicle is a car as it is kept, from what was typed.
func (c Config) checkVehicle(v Vehicle) (Vehicle, error) {
	var err error
	if v.Plate, err = Plate(v.Plate); err != nil {
		return v, err
	}
	if v.Label, err = cleanName("how to know the car", v.Label, maxName, true); err != nil {
		return v, err
	}
	if _, ok := c.Caps.PerClass[v.Class]; !ok {
		return v, fault.New(fault.Invalid, "class of the car: choose one of the list")
	}
	if v.Seats < 1 || v.Seats > c.Limits.Seats {
		return v, fault.New(fault.Invalid, "seats beside the driver: 1 to %d", c.Limits.Seats)
	}
	if v.Carries.ChildSeats < 0 || v.Carries.ChildSeats > v.Seats {
		return v, fault.New(fault.Invalid, "child seats: 0 to as many as there are seats")
	}
	return v, nil
}

const vehicleColumns = `id, driver, plate, label, class, seats, carries, gone_ms`

func scanVehicle(row scanner) (Vehicle, error) {
	var v Vehicle
	var carries string
	var gone int64
	if err := row.Scan(&v.ID, &v.Driver, &v.Plate, &v.Label, &v.Class, &v.Seats, &carries, &gone); err != nil {
		return v, err
	}
	v.Gone = gone != 0
	return v, unpack(carries, &v.Carries)
}

// vehicleIn reads a car; NotFound when there never was one. One taken out is
// there, Gone.
func vehicleIn(ctx context.Context, tx *store.Tx, id VehicleID) (Vehicle, error) {
	v, err := scanVehicle(tx.QueryRow(ctx, `SELECT `+vehicleColumns+` FROM carpool_vehicles WHERE id = $1`, sentence(string(id))))
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.New(fault.NotFound, "there is no such car")
	}
	if err != nil {
		return v, fmt.Errorf("read vehicle %s: %w", id, err)
	}
	return v, nil
}

func vehiclesIn(ctx context.Context, tx *store.Tx, driver MemberID) ([]Vehicle, error) {
	rows, err := tx.Query(ctx, `SELECT `+vehicleColumns+` FROM carpool_vehicles WHERE driver = $1 AND gone_ms = 0 ORDER BY id`, string(driver))
	if err != nil {
		return nil, fmt.Errorf("read vehicles of %s: %w", driver, err)
	}
	return all(rows, scanVehicle)
}

// Vehicles of a driver that are in use.
func (p *Members) Vehicles(ctx context.Context, driver MemberID) ([]Vehicle, error) {
	var out []Vehicle
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = vehiclesIn(ctx, tx, driver); return err })
	return out, err
}

// PutVehicle adds a car of v.Driver (no ID), or changes one. Another plate is
// another car to the police: its check is void and its rides are at risk until
// the papers are looked at again. A car does not become less than what open
// offers and booked riders count on.
func (p *Members) PutVehicle(ctx context.Context, by By, v Vehicle) (Vehicle, error) {
	v, err := p.cfg.checkVehicle(v)
	if err != nil {
		return Vehicle{}, err
	}
	fresh := v.ID == ""
	if fresh {
		v.ID = VehicleID(newID("v"))
	}
	v.Gone = false
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, v.Driver)
		if err != nil {
			return err
		}
		if m.Minor {
			return fault.New(fault.Denied, "a minor does not drive")
		}
		detail := map[string]string{"new": fmt.Sprint(fresh)}
		if fresh {
			have, err := vehiclesIn(ctx, tx, v.Driver)
			if err != nil {
				return err
			}
			if len(have) >= mostVehicles {
				return fault.New(fault.Invalid, "cars: at most %d; take one out first", mostVehicles)
			}
		} else {
			old, err := vehicleIn(ctx, tx, v.ID)
			if fault.Of(err) == fault.NotFound && err != nil || err == nil && (old.Driver != v.Driver || old.Gone) {
				return errNotYours
			}
			if err != nil {
				return err
			}
			if v.Seats < old.Seats || !old.Carries.Met(v.Carries) {
				if err := inUse(ctx, tx, v); err != nil {
					return err
				}
			}
			if old.Plate != v.Plate {
				detail["plate"] = "changed"
				if err := p.voidChecks(ctx, tx, v.Driver, v.ID, "plate changed"); err != nil {
					return err
				}
			}
		}
		if err := putVehicle(ctx, tx, v); err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.vehicle.put", Object: string(v.ID), Detail: detail})
	})
	if err != nil {
		return Vehicle{}, fmt.Errorf("keep a car: %w", err)
	}
	return v, nil
}

func putVehicle(ctx context.Context, tx *store.Tx, v Vehicle) error {
	carries, err := pack(v.Carries)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO carpool_vehicles (`+vehicleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
		ON CONFLICT (id) DO UPDATE SET plate = excluded.plate, label = excluded.label, class = excluded.class, seats = excluded.seats, carries = excluded.carries`,
		string(v.ID), string(v.Driver), v.Plate, v.Label, string(v.Class), v.Seats, carries)
	if err != nil {
		return fmt.Errorf("write vehicle %s: %w", v.ID, err)
	}
	return nil
}

// DropVehicle takes a car out. Its checks are void and its rides to come are
// cancelled, with the riders told and matched again.
func (p *Members) DropVehicle(ctx context.Context, by By, id VehicleID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.vehicle.drop", Object: string(id)}, func(tx *store.Tx) error {
		v, err := vehicleIn(ctx, tx, id)
		if fault.Of(err) == fault.NotFound && err != nil || err == nil && v.Gone {
			return errNotYours
		}
		if err != nil {
			return err
		}
		if _, err := mayAct(ctx, tx, by, v.Driver); err != nil {
			return err
		}
		if err := p.voidChecks(ctx, tx, v.Driver, id, "car taken out"); err != nil {
			return err
		}
		if err := p.cancelRidesOf(ctx, tx, v.Driver, id, tx.Now, reasonPapers); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE carpool_vehicles SET gone_ms = $2, plate = '' WHERE id = $1`, string(id), store.Millis(tx.Now))
		return err
	})
	if err != nil {
		return fmt.Errorf("take a car out: %w", err)
	}
	return nil
}
