package history

import (
	"fmt"
	"strings"

	"github.com/crinale/crinale/internal/network"
)

// version of the tables, in SQLite's user_version.
const version = 1

// kind is the resolution of a file.
type kind uint8

const (
	raw kind = iota
	minute
	quarter
	kinds
)

// suffix of the file names, and ms of a row; raw rows have their own time.
var (
	suffix = [kinds]string{raw: ".db", minute: ".1m.db", quarter: ".15m.db"}
	width  = [kinds]int64{raw: 0, minute: 60_000, quarter: quarterMs}
)

const quarterMs = 15 * 60_000

var (
	columns   = strings.Join(network.Columns[:], ", ")
	marks     = "?" + strings.Repeat(", ?", 2+len(network.Columns))
	insertRaw = "INSERT INTO raw (series, t, up, " + columns + ") VALUES (" + marks + ")"
	fold      = "INSERT OR REPLACE INTO folded (series, t, up, " + columns + ") SELECT series, t, up, " + columns + " FROM raw ORDER BY series, t, rowid"

	rollColumns = rollNames()
	insertRoll  = "INSERT OR REPLACE INTO roll (series, t, n, up, " + strings.Join(rollColumns, ", ") + ") VALUES (?" + strings.Repeat(", ?", 3+len(rollColumns)) + ")"
	selectRoll  = "SELECT t, n, up, " + strings.Join(rollColumns, ", ") + " FROM roll WHERE series = ? AND t >= ? AND t < ? ORDER BY t"
)

// rollNames are four columns for each quantity.
func rollNames() (names []string) {
	for _, c := range network.Columns {
		names = append(names, c+"_min", c+"_mean", c+"_max", c+"_n")
	}
	return names
}

const seriesTable = `CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, link TEXT NOT NULL, "end" TEXT NOT NULL, UNIQUE (link, "end"));`

// schema makes the tables of a file. Times are ms since 1970 UTC.
func schema(k kind) string {
	real := strings.Join(network.Columns[:], " REAL, ") + " REAL"
	tables := `
CREATE TABLE IF NOT EXISTS raw (series INTEGER NOT NULL, t INTEGER NOT NULL, up INTEGER NOT NULL, ` + real + `);
CREATE TABLE IF NOT EXISTS folded (series INTEGER NOT NULL, t INTEGER NOT NULL, up INTEGER NOT NULL, ` + real + `, PRIMARY KEY (series, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty (t INTEGER PRIMARY KEY);`
	if k != raw {
		tables = `
CREATE TABLE IF NOT EXISTS roll (series INTEGER NOT NULL, t INTEGER NOT NULL, n INTEGER NOT NULL, up INTEGER NOT NULL, ` +
			strings.Join(rollColumns, " REAL, ") + ` REAL, PRIMARY KEY (series, t)) WITHOUT ROWID;`
	}
	return seriesTable + tables + fmt.Sprintf("\nPRAGMA user_version = %d;", version)
}

// roll gives the rows of one quarter of an hour, of every series, in a width.
// CROSS JOIN keeps SQLite to a seek for each series.
func rollUp() string {
	var b strings.Builder
	b.WriteString(`SELECT s.link, s."end", f.t / ? * ?, count(*), sum(f.up)`)
	for _, c := range network.Columns {
		fmt.Fprintf(&b, ", min(f.%[1]s), avg(f.%[1]s), max(f.%[1]s), count(f.%[1]s)", c)
	}
	b.WriteString(` FROM series s CROSS JOIN folded f ON f.series = s.id AND f.t >= ? AND f.t < ? GROUP BY 1, 2, 3`)
	return b.String()
}

var selectRollUp = rollUp()
