package carpool_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Every table of the portal and every column of it stands on the list by which
// people's data are exported, forgotten and expired.
func TestEveryColumnIsKnownToPrivacy(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		listed := map[string][]string{}
		for _, h := range carpool.Holdings() {
			if _, twice := listed[h.Table]; twice {
				t.Errorf("%s stands there twice", h.Table)
			}
			if (len(h.About) == 0 || len(h.Forget) == 0) && h.Kept == "" {
				t.Errorf("%s: say whose its rows are and how they are forgotten", h.Table)
			}
			for _, f := range strings.Fields(h.Columns) {
				listed[h.Table] = append(listed[h.Table], strings.TrimRight(f, "*@"))
			}
		}
		for _, table := range w.tables() {
			if !strings.HasPrefix(table, "carpool_") && !strings.HasPrefix(table, "outbox_messages") || slices.Contains(carpool.NotPersonal, table) {
				continue
			}
			var have []string
			for _, c := range w.columns(table) {
				have = append(have, c.name)
			}
			want := slices.Sorted(slices.Values(listed[table]))
			slices.Sort(have)
			if !slices.Equal(have, want) {
				t.Errorf("%s has the columns\n%v\nand privacy knows\n%v", table, have, want)
			}
			delete(listed, table)
		}
		for table := range listed {
			t.Errorf("%s: there is no such table", table)
		}
	})
}

// sentinels are what was planted in the personal columns of a member's rows.
type sentinels struct {
	texts   []string
	numbers []string // as text
}

// sentinel is a text that no other number has within it.
func sentinel(nr int) string {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	rng := rand.New(rand.NewPCG(seed, uint64(nr)))
	return fmt.Sprintf("%04d-%016x", nr, rng.Uint64())
}

var isJSON = map[string]bool{"needs": true, "schedule": true, "params": true, "carries": true}

// plantAll puts a row about a member into every table of the list, with a
// sentinel in every personal column, and returns them.
func plantAll(w *trustWorld, m carpool.Member, nr int) sentinels {
	w.t.Helper()
	var s sentinels
	mark := func(table, column string) string {
		text := fmt.Sprintf("sentinella-%s-%s-%s", table, column, sentinel(nr))
		s.texts = append(s.texts, text)
		return text
	}
	fixed := map[string]map[string]any{
		"carpool_stops":    {"ride": fmt.Sprintf("r-p%d", nr), "kind": "start", "position": 9},
		"carpool_rides":    {"id": fmt.Sprintf("r-p%d", nr), "state": "done", "slot": fmt.Sprint("slot-", nr)},
		"carpool_offers":   {"state": "ended"},
		"carpool_requests": {"state": "done"},
		"carpool_bookings": {"state": "completed", "ride": fmt.Sprintf("r-p%d", nr)},
		"carpool_checks":   {"id": fmt.Sprintf("d-p%d", nr), "state": "passed"},
		"carpool_pictures": {"check_id": fmt.Sprintf("d-p%d", nr)},
		"carpool_notices":  {"id": fmt.Sprintf("n-p%d", nr)},
		"outbox_messages":  {"queue": "carpool", "key": fmt.Sprintf("n-p%d", nr), "given_up": 1},
		"carpool_once":     {"key": fmt.Sprintf("request:%s:%s:sentinella-once-%s", m.Account, m.ID, sentinel(nr))},
		"carpool_reports":  {"state": "handled"},
		"carpool_calls":    {"state": "done", "params": "{}"},

		"carpool_code_calls": {"account": m.Account},
		"carpool_consents":   {"what": "io"},
	}
	for _, h := range carpool.Holdings() {
		if h.Table == "carpool_members" {
			continue
		}
		kinds := map[string]string{}
		for _, c := range w.columns(h.Table) {
			kinds[c.name] = c.kind
		}
		row := map[string]any{}
		for _, f := range strings.Fields(h.Columns) {
			name := strings.TrimRight(f, "*@")
			text := strings.Contains(kinds[name], "text")
			switch {
			case strings.HasSuffix(f, "@"):
				row[name] = string(m.ID)
			case strings.HasSuffix(f, "*") && text:
				row[name] = mark(h.Table, name)
				if isJSON[name] {
					row[name] = `{"x":"` + row[name].(string) + `"}`
				}
			case strings.HasSuffix(f, "*") && (strings.Contains(kinds[name], "bytea") || strings.Contains(kinds[name], "blob")):
				row[name] = []byte(mark(h.Table, name))
			case strings.HasSuffix(f, "*"):
				v := 7.123456 + float64(nr)/1e6
				row[name] = v
				s.numbers = append(s.numbers, strconv.FormatFloat(v, 'f', -1, 64))
			case isJSON[name]:
				row[name] = "{}"
			case text:
				row[name] = fmt.Sprintf("%s-%d", name, nr)
			}
		}
		for k, v := range fixed[h.Table] {
			if text, ok := row[k].(string); ok {
				s.texts = slices.DeleteFunc(s.texts, func(x string) bool { return x == text })
			}
			row[k] = v
		}
		for _, end := range []string{"place", "from_place", "to_place", "pickup_place", "drop_place"} {
			if _, ok := row[end]; ok && h.Table != "carpool_watches" {
				row[end] = "" // at a door
			}
		}
		if h.Table == "carpool_blocks" {
			row["other"] = "m-other"
		}
		w.plant(h.Table, row)
	}
	s.texts = append(s.texts, "sentinella-once-"+sentinel(nr))
	// The member's own row.
	var sets []string
	var args []any
	for _, c := range []string{"first", "last", "phone", "email", "fiscal", "comune", "needs", "trusted_name", "trusted_phone"} {
		args = append(args, mark("carpool_members", c))
		if isJSON[c] {
			args[len(args)-1] = `{"x":"` + args[len(args)-1].(string) + `"}`
		}
		sets = append(sets, fmt.Sprintf("%s = $%d", c, len(args)))
	}
	args = append(args, string(m.ID))
	w.exec(fmt.Sprintf(`UPDATE carpool_members SET %s WHERE id = $%d`, strings.Join(sets, ", "), len(args)), args...)
	return s
}

// found are the sentinels that any cell of any table still holds.
func (s sentinels) found(w *trustWorld) []string {
	w.t.Helper()
	var out []string
	for _, table := range w.tables() {
		for _, c := range w.columns(table) {
			cell := `CAST(` + c.name + ` AS TEXT)`
			if w.db.Kind() == store.Postgres && strings.Contains(c.kind, "bytea") {
				cell = `encode(` + c.name + `, 'escape')`
			}
			cells := w.texts(`SELECT ` + cell + ` FROM ` + table + ` WHERE ` + c.name + ` IS NOT NULL`)
			for _, want := range append(slices.Clone(s.texts), s.numbers...) {
				if slices.ContainsFunc(cells, func(have string) bool { return strings.Contains(have, want) }) {
					out = append(out, table+"."+c.name+": "+want)
				}
			}
		}
	}
	if w.db.Kind() == store.SQLite {
		for _, want := range s.texts {
			if w.inFile(want) {
				out = append(out, "the file: "+want)
			}
		}
	}
	return out
}

func TestForgetLeavesNothing(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) { proveForget(w, 1) })
}

// proveForget plants sentinels for two members, and forgets one.
func proveForget(w *trustWorld, nr int) (planted int) {
	t, ctx := w.t, w.t.Context()
	m, by := w.resident(1000 + nr)
	other, otherBy := w.resident(2000 + nr)
	mine, theirs := plantAll(w, m, nr), plantAll(w, other, nr+500)
	if have, all := len(mine.found(w)), len(mine.texts)+len(mine.numbers); have < all {
		t.Fatalf("only %d of %d sentinels stand in the tables: the test shows nothing", have, all)
	}
	driver, drives := w.resident(3000+nr, carpool.ConsentCheck)
	v := w.checked(drives)
	w.lift(fmt.Sprintf("open%d", nr), m.ID, driver.ID, v.ID, carpool.Accepted, 48*time.Hour)
	refused(t, "deleted by somebody else", w.Privacy.Forget(ctx, otherBy, m.ID), fault.Denied)

	must(t, w.Privacy.Forget(ctx, by, m.ID))
	for _, left := range mine.found(w) {
		t.Errorf("left: %s", left)
	}
	if have, all := theirs.found(w), len(theirs.texts)+len(theirs.numbers); len(have) < all {
		t.Errorf("of the other member only %d of %d are left", len(have), all)
	}
	if got := w.told(driver.ID); !strings.Contains(got, "booking.cancelled") {
		t.Errorf("the driver was told %q", got)
	}
	if _, err := w.people.Get(ctx, by.Account); fault.Of(err) != fault.NotFound {
		t.Errorf("the account: %v", err)
	}
	gone, err := w.Members.Get(ctx, m.ID)
	must(t, err)
	if gone.State != carpool.Gone || gone.First+gone.Last+gone.Phone+gone.Email+gone.Account+gone.Comune != "" {
		t.Errorf("%+v", gone)
	}
	refused(t, "deleted twice", w.Privacy.Forget(ctx, by, m.ID), fault.Denied)
	lines, err := w.log.List(ctx, audit.Query{Object: string(m.ID)})
	must(t, err)
	if len(lines) == 0 || lines[0].Action != "carpool.member.forget" {
		t.Errorf("%+v", lines)
	}
	return len(mine.texts) + len(mine.numbers)
}

func TestExportIsComplete(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) { proveExport(w, 1) })
}

func proveExport(w *trustWorld, nr int) (cells int) {
	t, ctx := w.t, w.t.Context()
	m, by := w.resident(4000 + nr)
	other, otherBy := w.resident(5000 + nr)
	mine, theirs := plantAll(w, m, nr+200), plantAll(w, other, nr+700)
	var b bytes.Buffer
	refused(t, "somebody else", w.Privacy.Export(ctx, otherBy, m.ID, &b), fault.Denied)
	refused(t, "the desk without consent", w.Privacy.Export(ctx, carpool.By{Account: "sportello", Desk: true, Member: m.ID}, m.ID, &b), fault.Denied)
	if b.Len() != 0 {
		t.Errorf("a refusal wrote %q", b.String())
	}
	must(t, w.Privacy.Export(ctx, by, m.ID, &b))
	var out struct {
		Tables  map[string][]map[string]any
		Account map[string]any
		Log     []audit.Line
	}
	must(t, json.Unmarshal(b.Bytes(), &out))
	for _, h := range carpool.Holdings() {
		rows := out.Tables[h.Table]
		if h.Kept != "" {
			continue
		}
		if len(rows) == 0 {
			t.Errorf("%s: nothing of the member's row", h.Table)
			continue
		}
		// The first row that is wholly the member's has every column.
		var best map[string]any
		for _, r := range rows {
			if len(r) > len(best) {
				best = r
			}
		}
		for _, f := range strings.Fields(h.Columns) {
			name := strings.TrimRight(f, "*@")
			if _, ok := best[name]; !ok && !strings.Contains(h.About[0].Hide, name) {
				t.Errorf("%s.%s is not in the export", h.Table, name)
			}
			cells++
		}
	}
	for _, want := range mine.texts {
		if strings.Contains(want, "outbox_messages-body") || strings.Contains(want, "pictures-data") {
			continue // what waits to be sent is in its notice; pictures are base64
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in the export", want)
		}
	}
	for _, not := range theirs.texts {
		if strings.Contains(b.String(), not) {
			t.Errorf("%s of somebody else is in the export", not)
		}
	}
	if out.Account["account"] == nil || out.Account["aliases"] == nil || len(out.Log) == 0 {
		t.Errorf("account %v, %d lines of the log", out.Account, len(out.Log))
	}
	return cells
}

func TestExportHidesWhoReported(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		rider, asRider := w.resident(1)
		driver, asDriver := w.resident(2)
		_, err := w.Talk.Report(ctx, asRider, carpool.Report{About: driver.ID, Kind: carpool.ReportConduct, Text: "sentinella del racconto"})
		must(t, err)
		must(t, w.Members.Block(ctx, asRider, driver.ID))
		var b bytes.Buffer
		must(t, w.Privacy.Export(ctx, asDriver, driver.ID, &b))
		if strings.Contains(b.String(), string(rider.ID)) || strings.Contains(b.String(), "sentinella") {
			t.Error("the export says who reported or blocked")
		}
		if !strings.Contains(b.String(), string(carpool.ReportConduct)) {
			t.Error("the export does not say that there is a report")
		}
	})
}

// What has served is deleted, each thing at its time, and rides of long ago are
// nobody's any more while their counts stay.
func TestRetention(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) { proveRetention(w) })
}

func proveRetention(w *trustWorld) {
	t, ctx := w.t, w.t.Context()
	rider, asRider := w.resident(61)
	driver, by := w.resident(62, carpool.ConsentCheck)
	v := w.checked(by)
	b := w.lift("old", rider.ID, driver.ID, v.ID, carpool.Completed, time.Hour)
	w.exec(`UPDATE carpool_rides SET state = 'done'`)
	w.exec(`UPDATE carpool_requests SET state = 'done', note = 'sentinella-nota', needs = '{"wheelchair":true}'`)
	w.exec(`UPDATE carpool_offers SET state = 'ended'`)
	w.exec(`UPDATE carpool_stops SET place = '', address = 'a-1', lon = 8.1, lat = 44.5 WHERE kind = 'pickup'`)
	w.plant("carpool_addresses", map[string]any{"id": "a-1", "owner": string(rider.ID), "words": "via della sentinella 1", "lon": 8.1, "lat": 44.5, "erase_ms": store.Millis(w.now.Add(25 * time.Hour))})
	w.plant("carpool_once", map[string]any{"key": "book:x:y:z", "result": "b-1", "at_ms": store.Millis(w.now)})
	must(t, w.Talk.Send(ctx, asRider, b, "messaggio di sentinella"))
	count := func(table string) int { return w.number(`SELECT count(*) FROM ` + table) }
	at := func(d time.Duration) {
		t.Helper()
		w.now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).Add(d)
		for range 2 {
			must(t, w.Privacy.Round(ctx))
		}
	}
	const day = 24 * time.Hour
	at(24 * time.Hour)
	if count("carpool_addresses") != 1 || count("carpool_messages") != 1 || count("carpool_once") != 1 {
		t.Error("too much is gone after a day")
	}
	at(25 * time.Hour)
	if count("carpool_addresses") != 0 {
		t.Error("the address is kept for more than a day")
	}
	if w.db.Kind() == store.SQLite && w.inFile("via della sentinella 1") {
		t.Error("the address is in the file still")
	}
	at(8 * day)
	if count("carpool_once") != 0 || count("carpool_notices") == 0 {
		t.Error("forms are known for a week, notices longer")
	}
	at(32 * day)
	if n := count("carpool_messages"); n != 0 || count("carpool_notices") != 0 {
		t.Errorf("%d messages and %d notices are kept for more than a month", n, count("carpool_notices"))
	}
	if w.db.Kind() == store.SQLite && w.inFile("messaggio di sentinella") {
		t.Error("the message is in the file still")
	}
	if w.number(`SELECT count(*) FROM carpool_bookings WHERE rider = $1`, string(rider.ID)) != 1 {
		t.Error("the ride is nobody's after a month already")
	}
	at(91 * day)
	for _, q := range []string{
		`SELECT count(*) FROM carpool_bookings WHERE rider <> '' OR driver <> '' OR request <> ''`,
		`SELECT count(*) FROM carpool_rides WHERE driver <> '' OR offer <> '' OR vehicle <> ''`,
		`SELECT count(*) FROM carpool_requests WHERE rider <> '' OR note <> '' OR needs <> ''`,
		`SELECT count(*) FROM carpool_stops WHERE address <> '' OR place = '' AND (lon <> 0 OR lat <> 0)`,
		`SELECT count(*) FROM carpool_offers`,
	} {
		if n := w.number(q); n != 0 {
			t.Errorf("after 90 days: %s: %d", q, n)
		}
	}
	if count("carpool_rides") != 1 || count("carpool_bookings") != 1 || count("carpool_requests") != 1 || count("carpool_stops") != 4 {
		t.Error("the counts are gone")
	}
	if w.db.Kind() == store.SQLite && w.inFile("sentinella-nota") {
		t.Error("the note is in the file still")
	}
	must(t, w.Privacy.Forget(ctx, asRider, rider.ID))
	at(500 * day)
	if n := w.number(`SELECT count(*) FROM carpool_members WHERE id = $1`, string(rider.ID)); n != 0 {
		t.Error("the empty row of who left is kept for ever")
	}
	if n := w.number(`SELECT count(*) FROM carpool_consents WHERE member = $1`, string(rider.ID)); n != 0 {
		t.Error("consents of who left are kept for ever")
	}
	if n := w.number(`SELECT count(*) FROM carpool_consents WHERE member = $1`, string(driver.ID)); n != 2 {
		t.Errorf("%d consents of who is still there", n)
	}
}

// A program that ends between the deletion and what follows it goes on after
// its start.
func TestForgetGoesOnAfterACrash(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		_, by := w.resident(1)
		w.plant("carpool_once", map[string]any{"key": "leaving:" + by.Account, "at_ms": store.Millis(w.now)})
		w.plant("carpool_once", map[string]any{"key": "leaving:ufficio", "at_ms": store.Millis(w.now)})
		must(t, w.Privacy.Round(ctx))
		if _, err := w.people.Get(ctx, by.Account); fault.Of(err) != fault.NotFound {
			t.Errorf("the account: %v", err)
		}
		if n := w.number(`SELECT count(*) FROM carpool_once`); n != 0 {
			t.Errorf("%d marks are left", n)
		}
	})
}

// TestProveForget does it for many members of one portal, by chance and on both
// databases: make prove-forget N=10 SEED=1.
func TestProveForget(t *testing.T) {
	if os.Getenv("PROVE") != "forget" {
		t.Skip("heavy: make prove-forget")
	}
	n := 5
	if s := os.Getenv("N"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
	}
	planted, columns := 0, 0
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTrustWorld(t, db)
		for i := range n {
			planted += proveForget(w, i+1)
		}
	})
	storetest.Story(t, func(t *testing.T, db *store.DB) { columns += proveExport(newTrustWorld(t, db), 1) })
	storetest.Story(t, func(t *testing.T, db *store.DB) { proveRetention(newTrustWorld(t, db)) })
	t.Logf("prove-forget: %d sentinels planted for %d members on two databases, 0 left in any cell, or any byte of the file and its log; %d columns held against the export; retention as promised", planted, 2*n, columns)
}
