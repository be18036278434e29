package carpool

// ofOutbox are the messages on their way to a member: of a notice, or with the
// member's name at the head of their key.
const ofOutbox = `(queue = 'carpool' OR queue LIKE 'carpool.%') AND (key IN (SELECT id FROM carpool_notices WHERE member = $1) OR key LIKE $1 || ' %')`

// holdings of this package. The order is that in which they are forgotten.
var holdings = []Holding{
	{
		Table: "carpool_addresses", Columns: `id owner@ words* lon* lat* erase_ms`,
		About:  []About{{Where: `owner = $1`}},
		Forget: []string{`DELETE FROM carpool_addresses WHERE owner = $1`},
		Expire: []Expire{{"now", `DELETE FROM carpool_addresses WHERE erase_ms <> 0 AND erase_ms <= $1`}},
	},
	{
		Table: "carpool_pictures", Columns: `id check_id kind media data* at_ms`,
		About:  []About{{Where: `check_id IN (SELECT id FROM carpool_checks WHERE driver = $1)`}},
		Forget: []string{`DELETE FROM carpool_pictures WHERE check_id IN (SELECT id FROM carpool_checks WHERE driver = $1)`},
		Expire: []Expire{{"pictures", `DELETE FROM carpool_pictures WHERE at_ms < $1`}},
	},
	{
		Table: "carpool_checks", Columns: `id driver@ vehicle state licence* insurance* roadworthy* reason* officer asked_ms decided_ms consent over_ms`,
		About:  []About{{Where: `driver = $1`}},
		Forget: []string{`DELETE FROM carpool_checks WHERE driver = $1`},
		Expire: []Expire{{"year", `DELETE FROM carpool_checks WHERE asked_ms < $1 AND decided_ms < $1 AND state NOT IN ('waiting', 'passed')`}},
	},
	{
		Table: "carpool_vehicles", Columns: `id driver@ plate* label* class seats carries gone_ms`,
		About:  []About{{Where: `driver = $1`}},
		Forget: []string{`UPDATE carpool_vehicles SET plate = '', label = '', carries = '', gone_ms = CASE WHEN gone_ms = 0 THEN 1 ELSE gone_ms END WHERE driver = $1`},
		Expire: []Expire{
			{"rides", `UPDATE carpool_vehicles SET plate = '', label = '', carries = '' WHERE gone_ms <> 0 AND gone_ms < $1 AND (plate <> '' OR label <> '')`},
			{"rides", `DELETE FROM carpool_vehicles WHERE gone_ms <> 0 AND gone_ms < $1 AND NOT EXISTS (SELECT 1 FROM carpool_rides r WHERE r.vehicle = carpool_vehicles.id)
				AND NOT EXISTS (SELECT 1 FROM carpool_offers o WHERE o.vehicle = carpool_vehicles.id) AND NOT EXISTS (SELECT 1 FROM carpool_checks c WHERE c.vehicle = carpool_vehicles.id)`},
		},
	},
	{
		Table: "carpool_messages", Columns: `id booking sender@ receiver@ body* at_ms`,
		About:  []About{{Where: `receiver = $1`}, {Where: `sender = $1 AND receiver <> $1`, Hide: `receiver`}},
		Forget: []string{`DELETE FROM carpool_messages WHERE sender = $1 OR receiver = $1`},
		Expire: []Expire{{"messages", `DELETE FROM carpool_messages WHERE at_ms < $1 AND NOT EXISTS (SELECT 1 FROM carpool_bookings k WHERE k.id = carpool_messages.booking AND k.drop_ms >= $1)`}},
	},
	{
		Table: "carpool_reports", Columns: `id reporter@ about@ other@ booking ride kind body* state outcome reason* handled_by at_ms handled_ms`,
		About: []About{
			{Where: `reporter = $1`, Hide: `about other handled_by`},
			// Of a number that is another's, or was, nothing: it would tell whose.
			{Where: `about = $1 AND reporter <> $1 AND kind NOT IN ('same-phone', 'back')`, Hide: `reporter other body reason handled_by booking ride`},
		},
		Forget: []string{`DELETE FROM carpool_reports WHERE reporter = $1 OR about = $1 OR other = $1`},
		Expire: []Expire{{"year", `DELETE FROM carpool_reports WHERE state = 'handled' AND handled_ms < $1`}},
	},
	{
		Table: "carpool_calls", Columns: `id key* member@ kind params notice state due_ms next_ms taken_by lease_ms tries outcome note* made_ms done_ms`,
		About:  []About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM carpool_calls WHERE member = $1`},
		Expire: []Expire{{"notices", `DELETE FROM carpool_calls WHERE done_ms <> 0 AND done_ms < $1`}},
	},
	{
		Table: "carpool_code_calls", Columns: `id account phone* comune* state asked_ms until_ms taken_by lease_ms tries`,
		About:  []About{{Where: `account <> '' AND account = (SELECT account FROM carpool_members WHERE id = $1)`}},
		Forget: []string{`DELETE FROM carpool_code_calls WHERE account <> '' AND account = (SELECT account FROM carpool_members WHERE id = $1)`},
		Expire: []Expire{{"now", `DELETE FROM carpool_code_calls WHERE until_ms <= $1`}},
	},
	{
		Table: "carpool_suspensions", Columns: `id member@ state reason* by_who at_ms settled_by settled* settled_ms appeal* appeal_ms answer* answered_by answered_ms lifted_by lifted* lifted_ms`,
		About:  []About{{Where: `member = $1 AND state NOT IN ('proposed', 'refused')`, Hide: `by_who settled_by answered_by lifted_by`}},
		Forget: []string{`DELETE FROM carpool_suspensions WHERE member = $1`},
		Expire: []Expire{{"year", `DELETE FROM carpool_suspensions WHERE (state = 'lifted' AND lifted_ms < $1) OR (state = 'refused' AND settled_ms < $1)`}},
	},
	{
		Table: "carpool_looks", Columns: `id member@ who what thing at_ms`,
		About:  []About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM carpool_looks WHERE member = $1`},
		Expire: []Expire{{"year", `DELETE FROM carpool_looks WHERE at_ms < $1`}},
	},
	{
		Table: "carpool_blocks", Columns: `member@ other@ at_ms`,
		About:  []About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM carpool_blocks WHERE member = $1 OR other = $1`},
	},
	{
		Table: "outbox_messages", Columns: `id queue key body* due_ms tries given_up error* added_ms done_ms`,
		About:  []About{{Where: ofOutbox, Hide: `body`}},
		Forget: []string{`DELETE FROM outbox_messages WHERE ` + ofOutbox},
		Expire: []Expire{{"notices", `DELETE FROM outbox_messages WHERE (queue = 'carpool' OR queue LIKE 'carpool.%') AND due_ms < $1 AND added_ms < $1`}},
	},
	{
		Table: "carpool_notices", Columns: `id key* member@ kind params* at_ms due_ms shown_ms`,
		About:  []About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM carpool_notices WHERE member = $1`},
		Expire: []Expire{{"notices", `DELETE FROM carpool_notices WHERE at_ms < $1 AND due_ms < $1`}},
	},
	{
		Table: "carpool_once", Columns: `key* result at_ms`,
		About:  []About{{Where: `key LIKE '%:' || $1 || ':%'`}},
		Forget: []string{`DELETE FROM carpool_once WHERE key LIKE '%:' || $1 || ':%'`},
		Expire: []Expire{{"once", `DELETE FROM carpool_once WHERE at_ms < $1 AND key NOT LIKE 'leaving:%'`}},
	},
	{
		Table: "carpool_left", Columns: `mark until_ms`, Kept: "who leaves while suspended is known again for a year; a mark says nothing without the server's key",
		Expire: []Expire{{"now", `DELETE FROM carpool_left WHERE until_ms <= $1`}},
	},
	{
		Table: "carpool_watches", Columns: `id member@ from_place* from_lon* from_lat* to_place* to_lon* to_lat* from_ms to_ms arrive seats needs* max_walk_ms last_day searched_ms created_ms`,
		About:  []About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM carpool_watches WHERE member = $1`},
		Expire: []Expire{{"today", `DELETE FROM carpool_watches WHERE last_day < $1`}},
	},
	{
		Table: "carpool_consents", Columns: `id member@ what how by_who* at_ms withdrawn_ms`,
		About: []About{{Where: `member = $1`}},
		// That it was given and withdrawn is kept for a while, without a name.
		Forget: []string{
			byNobody("carpool_consents"),
			`UPDATE carpool_consents SET withdrawn_ms = CASE WHEN withdrawn_ms = 0 THEN at_ms + 1 ELSE withdrawn_ms END, by_who = '' WHERE member = $1`,
		},
		Expire: []Expire{{"year", `DELETE FROM carpool_consents WHERE withdrawn_ms <> 0 AND withdrawn_ms < $1`}},
	},
	{
		Table: "carpool_members", Columns: `id@ account* first* last* phone* landline email* fiscal* comune* minor guardian@ needs* trusted_name* trusted_phone* channels lang large state created_ms family`,
		About: []About{{Where: `id = $1`}, {Where: `guardian = $1`}},
		Forget: []string{`UPDATE carpool_members SET account = '', first = '', last = '', phone = '', landline = 0, family = 0, email = '', fiscal = '', comune = '',
			minor = 0, guardian = '', needs = '', trusted_name = '', trusted_phone = '', channels = '', lang = 'it', large = 0, state = 'gone' WHERE id = $1`},
		Expire: []Expire{{"rides", `DELETE FROM carpool_members WHERE state = 'gone' AND created_ms < $1
			AND NOT EXISTS (SELECT 1 FROM carpool_rides r WHERE r.driver = carpool_members.id) AND NOT EXISTS (SELECT 1 FROM carpool_offers o WHERE o.driver = carpool_members.id)
			AND NOT EXISTS (SELECT 1 FROM carpool_requests q WHERE q.rider = carpool_members.id) AND NOT EXISTS (SELECT 1 FROM carpool_vehicles v WHERE v.driver = carpool_members.id)
			AND NOT EXISTS (SELECT 1 FROM carpool_bookings k WHERE k.rider = carpool_members.id OR k.driver = carpool_members.id)
			AND NOT EXISTS (SELECT 1 FROM carpool_consents c WHERE c.member = carpool_members.id)`}},
	},
}

// byNobody takes the account of a member out of what they did for others: of a
// minor whose guardian they were.
func byNobody(table string) string {
	return `UPDATE ` + table + ` SET by_who = '' WHERE by_who <> '' AND by_who = (SELECT account FROM carpool_members WHERE id = $1)`
}
