package interop

import "github.com/crinale/crinale/internal/fault"

// rank orders the statuses as the standard counts them up.
var rank = map[Status]int{Waiting: 0, Confirmed: 1, Completed: 2, Validated: 3, Cancelled: 4}

// final says whether nothing comes after a status.
func (s Status) final() bool { return s == Cancelled || s == Validated }

// step says whether the operator of a passenger may bring a booking from one
// status to another: nil to do it. What it has already, or has gone past, is
// the standard's status_already_set.
//
//	WAITING_CONFIRMATION → CANCELLED
//	CONFIRMED → CANCELLED, COMPLETED_PENDING_VALIDATION
//	COMPLETED_PENDING_VALIDATION → VALIDATED
//
// That a driver takes somebody along, only the driver can say. Where free is
// set any later status will do, as the standard's tester wants it.
func step(from, to Status, free bool) error {
	now, ok1 := rank[from]
	next, ok2 := rank[to]
	switch {
	case !ok1:
		return fault.New(fault.Internal, "booking has the unknown status %q", from)
	case !ok2:
		return fault.New(fault.Invalid, "status: not one of the standard")
	case from.final(), next <= now:
		return alreadySet
	case free:
		return nil
	case to == Cancelled && from == Completed:
		return fault.New(fault.Invalid, "status: the ride has taken place and cannot be cancelled")
	case to == Cancelled, from == Confirmed && to == Completed, from == Completed && to == Validated:
		return nil
	case to == Confirmed:
		return fault.New(fault.Invalid, "status: only the driver can confirm")
	}
	return fault.New(fault.Invalid, "status: %s does not follow %s", to, from)
}

// merge is the status that both know, from the portal's and the one noted
// here: that a ride is validated, the portal does not know.
func merge(portal, noted Status) Status {
	if noted == Validated && portal == Completed {
		return Validated
	}
	return portal
}
