package interop

import "github.com/crinale/crinale/carpool"

// Keeper lists the table of this package that tells of members, by which their
// data are exported, forgotten and expired. Of a booking of another operator
// whose driver has left, its name and state stay, so that the operator still
// learns that it was cancelled.
var Keeper = carpool.Keeper{Owner: "interop", Holdings: []carpool.Holding{
	{
		Table: "interop_bookings", Columns: `id operator digest ref body* status pickup_ms created_ms changed_ms`,
		About:  []carpool.About{{Where: ofBookings, Hide: `body digest`}},
		Forget: []string{`UPDATE interop_bookings SET body = '{}', digest = '' WHERE ` + ofBookings},
	},
}}

// ofBookings are the bookings of a member's lifts.
const ofBookings = `ref IN (SELECT id FROM carpool_bookings WHERE rider = $1 OR driver = $1)`
