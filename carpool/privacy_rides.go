package carpool

import "strings"

// Private ends of journeys: without the name of the address, and the cell
// where it lies is taken away too.
func noEnd(end string) string {
	return strings.ReplaceAll(`@_address = '', @_lon = CASE WHEN @_place = '' THEN 0 ELSE @_lon END, @_lat = CASE WHEN @_place = '' THEN 0 ELSE @_lat END`, "@", end)
}

const rideEnds = `from_place from_address* from_lon* from_lat* to_place to_address* to_lon* to_lat*`

// rideHoldings are the tables of rides. What is forgotten of them are the
// words and the doors; the member in them has then no name any more. After
// Config.RidesKept nobody is in them: what is left counts rides between
// meeting points.
var rideHoldings = []Holding{
	{
		Table: "carpool_offers", Columns: `id driver@ vehicle ` + rideEnds + ` schedule* recurs seats aboard max_detour_ms flex_ms door carries milli_eur_km return_offer note* state laid created_ms`,
		About:  []About{{Where: `driver = $1`}},
		Forget: []string{`UPDATE carpool_offers SET note = '', schedule = '', state = 'ended', ` + noEnd("from") + `, ` + noEnd("to") + ` WHERE driver = $1`},
		Expire: []Expire{{"rides", `DELETE FROM carpool_offers WHERE state = 'ended' AND created_ms < $1 AND NOT EXISTS (SELECT 1 FROM carpool_rides r WHERE r.offer = carpool_offers.id AND r.arrive_ms >= $1)`}},
	},
	{
		Table: "carpool_stops", Columns: `ride position kind booking place address* lon* lat* at_ms seats`,
		About: []About{
			{Where: `ride IN (SELECT id FROM carpool_rides WHERE driver = $1) AND kind IN ('start', 'end')`},
			{Where: `booking IN (SELECT id FROM carpool_bookings WHERE rider = $1)`},
		},
		Forget: []string{`UPDATE carpool_stops SET address = '', lon = 0, lat = 0 WHERE place = ''
			AND (booking IN (SELECT id FROM carpool_bookings WHERE rider = $1) OR kind IN ('start', 'end') AND ride IN (SELECT id FROM carpool_rides WHERE driver = $1))`},
		Expire: []Expire{{"rides", `UPDATE carpool_stops SET address = '', lon = 0, lat = 0 WHERE place = '' AND (lon <> 0 OR lat <> 0 OR address <> '')
			AND ride IN (SELECT id FROM carpool_rides WHERE arrive_ms < $1)`}},
	},
	{
		Table: "carpool_bookings", Columns: `id request ride rider@ driver@ seats pickup_place pickup_address* pickup_lon* pickup_lat* pickup_ms drop_place drop_address* drop_lon* drop_lat* drop_ms
			cents metres walk_to_ms walk_from_ms aboard_ms state ended_by reason* deadline_ms created_ms changed_ms unseen`,
		About: []About{
			{Where: `rider = $1 AND state IN ('accepted', 'boarded', 'completed', 'no-show')`, Hide: `unseen`},
			// Whose ride it is the rider learns with the acceptance.
			{Where: `rider = $1 AND state NOT IN ('accepted', 'boarded', 'completed', 'no-show')`, Hide: `unseen driver`},
			{Where: `driver = $1 AND rider <> $1 AND unseen = 0`, Hide: `unseen pickup_address pickup_lon pickup_lat drop_address drop_lon drop_lat request`},
		},
		Forget: []string{
			`UPDATE carpool_bookings SET reason = '', ` + noEnd("pickup") + `, ` + noEnd("drop") + ` WHERE rider = $1`,
			`UPDATE carpool_bookings SET reason = '' WHERE driver = $1`,
		},
		Expire: []Expire{{"rides", `UPDATE carpool_bookings SET rider = '', driver = '', request = '', reason = '', ended_by = '', ` + noEnd("pickup") + `, ` + noEnd("drop") + `
			WHERE drop_ms < $1 AND (rider <> '' OR driver <> '')`}},
	},
	{
		Table: "carpool_requests", Columns: `id rider@ by_who* consent ` + rideEnds + ` from_ms to_ms arrive companions needs* door max_walk_ms return_kind outward note* state
			way way_booking way_listed way_bus way_until_ms way_text road_asked again step searched_ms created_ms series`,
		About:  []About{{Where: `rider = $1`}},
		Forget: []string{byNobody("carpool_requests"), `UPDATE carpool_requests SET by_who = '', needs = '', note = '', ` + noEnd("from") + `, ` + noEnd("to") + ` WHERE rider = $1`},
		Expire: []Expire{{"rides", `UPDATE carpool_requests SET rider = '', by_who = '', consent = '', needs = '', note = '', outward = '', series = '', way_booking = '',
			state = CASE WHEN state = 'done' THEN state ELSE 'withdrawn' END, way_until_ms = 0, ` + noEnd("from") + `, ` + noEnd("to") + `
			WHERE to_ms < $1 AND created_ms < $1 AND rider <> ''`}},
	},
	{
		Table: "carpool_rides", Columns: `id offer slot driver@ vehicle depart_ms leave_ms arrive_ms direct_ms seats state risk reason* version opened_ms`,
		About:  []About{{Where: `driver = $1`}},
		Forget: []string{`UPDATE carpool_rides SET reason = '' WHERE driver = $1`},
		// Without its offer, which names the driver.
		Expire: []Expire{{"rides", `UPDATE carpool_rides SET driver = '', vehicle = '', offer = '', slot = id, reason = '', risk = '',
			state = CASE WHEN state = 'cancelled' THEN state ELSE 'done' END WHERE arrive_ms < $1 AND driver <> ''`}},
	},
}

// notPersonal are the portal's tables that hold nobody: the meeting points and
// whom to call. What is public about an association is not about a person, nor
// is a figure of ten.
var notPersonal = []string{"carpool_places", "carpool_listed", "carpool_migrations", "carpool_figures"}
