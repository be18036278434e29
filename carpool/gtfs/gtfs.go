// Package gtfs reads the bus timetable and writes the lifts as one, in the
// carpool profile of GTFS. It knows the format (gtfs.org/schedule/reference)
// and nothing of the network: files come as a zip, a folder or an fs.FS.
//
// Read is strict: it takes a timetable whole or says in which file, line and
// column it is wrong. Check collects everything that breaks a rule of the
// specification, and is what our own output is held against.
package gtfs

import (
	"github.com/crinale/crinale/internal/fault"
)

// Limits bound what a timetable may cost. A region's timetable fits.
type Limits struct {
	Zip   int64 // bytes of a zip as it lies on the disk
	Bytes int64 // of all files together, unpacked
	Rows  int   // of one file
	Field int   // bytes of one field
	Files int   // entries of a zip
}

// DefaultLimits take a region's timetable and refuse a bomb.
func DefaultLimits() Limits {
	return Limits{Zip: 64 << 20, Bytes: 256 << 20, Rows: 2_000_000, Field: 4096, Files: 200}
}

// at names a place of a file in an error.
func at(file string, line int, column, format string, args ...any) error {
	if column != "" {
		return fault.New(fault.Invalid, "%s: line %d: %s: "+format, append([]any{file, line, column}, args...)...)
	}
	return fault.New(fault.Invalid, "%s: line %d: "+format, append([]any{file, line}, args...)...)
}
