package notify

import "github.com/crinale/crinale/carpool"

// Keeper lists the tables of this package, by which members' data are
// exported and forgotten. Round expires them.
var Keeper = carpool.Keeper{Owner: Owner, Holdings: []carpool.Holding{
	{
		Table: "notify_sent", Columns: `notice channel state at_ms`,
		About:  []carpool.About{{Where: `notice IN (SELECT id FROM carpool_notices WHERE member = $1)`}},
		Forget: []string{`DELETE FROM notify_sent WHERE notice IN (SELECT id FROM carpool_notices WHERE member = $1)`},
	},
	{
		Table: "notify_questions", Columns: `notice member@ booking asked_ms until_ms answer`,
		About:  []carpool.About{{Where: `member = $1`}},
		Forget: []string{`DELETE FROM notify_questions WHERE member = $1`},
	},
	{
		Table: "notify_heard", Columns: `message day notice done`,
		About:  []carpool.About{{Where: `notice IN (SELECT id FROM carpool_notices WHERE member = $1)`, Hide: `message`}},
		Forget: []string{`DELETE FROM notify_heard WHERE notice IN (SELECT id FROM carpool_notices WHERE member = $1)`},
	},
	{
		Table: "notify_daily", Columns: `day what n`,
		About:  []carpool.About{{Where: `what LIKE '% ' || $1`}},
		Forget: []string{`DELETE FROM notify_daily WHERE what LIKE '% ' || $1`},
	},
	{
		Table: "notify_calendars", Columns: `member@ hash made_ms`,
		About:  []carpool.About{{Where: `member = $1`, Hide: `hash`}},
		Forget: []string{`DELETE FROM notify_calendars WHERE member = $1`},
	},
}}
