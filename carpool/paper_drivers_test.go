package carpool_test

import (
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

func TestDriversAreToldWithoutNames(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		w.caller(1) // no car
		m, by := w.resident(2, carpool.ConsentCheck)
		v := w.checked(by)
		_, without := w.resident(3)
		_, err := w.Members.PutVehicle(t.Context(), without, carpool.Vehicle{Driver: without.Member, Plate: "cd 456-ef", Label: "Punto", Class: "car", Seats: 4})
		must(t, err)
		got, err := w.Trust.Drivers(t.Context(), office)
		must(t, err)
		if len(got) != 2 {
			t.Fatalf("drivers: %+v", got)
		}
		for _, d := range got {
			switch {
			case d.ID == m.ID && (d.State != carpool.Active || len(d.Checks) != 1 || d.Checks[0] != (carpool.DriverCheck{Vehicle: v.ID, State: carpool.CheckPassed, Until: "2027-01-31"})):
				t.Errorf("checked: %+v", d)
			case d.ID == without.Member && (len(d.Checks) != 0 || d.Checks == nil):
				t.Errorf("not checked: %+v", d)
			}
		}
		_, err = w.Trust.Drivers(t.Context(), by)
		refused(t, "a member", err, fault.Denied)
		_, err = w.Trust.Drivers(t.Context(), atDesk)
		refused(t, "the desk", err, fault.Denied)
	})
}
