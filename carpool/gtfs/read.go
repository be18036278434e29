package gtfs

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// Timetable is what of a GTFS feed says when a bus goes where. It does not
// change once read.
type Timetable struct {
	Location  *time.Location // of its times
	Publisher string         // of feed_info, or the first agency
	Version   string         // of feed_info
	First     Day            // with any service
	Last      Day

	stops    []stop
	services []service
	trips    []trip
	calls    []call // of all trips, one after the other
	visits   [][]visit
	longest  int32 // seconds of the latest arrival in a service day
}

// About is what a timetable holds.
type About struct {
	Publisher string `json:"publisher"`
	Version   string `json:"version,omitempty"`
	Stops     int    `json:"stops"`
	Trips     int    `json:"trips"`
	First     Day    `json:"first"`
	Last      Day    `json:"last"`
}

// About the timetable.
func (t *Timetable) About() About {
	return About{t.Publisher, t.Version, len(t.stops), len(t.trips), t.First, t.Last}
}

type stop struct {
	name string
	at   geo.LonLat
}

// trip is a journey of a line on the days of its service, shifted by later.
type trip struct {
	line        string
	service     int32
	first, last int32 // its calls are calls[first:last]
	later       int32 // seconds; of a trip that runs every so often
}

// call is one halt of a trip, in seconds of the service day.
type call struct {
	stop            int32
	arrive, depart  int32
	noBoard, noExit bool
}

// visit says that a trip calls at a stop.
type visit struct {
	trip int32
	call int32 // index within the trip
}

// Open reads a zip or a folder.
func Open(path string, limits Limits) (*Timetable, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "timetable %s: %w", path, err)
	}
	if info.IsDir() {
		return wrap(path)(Read(os.DirFS(path), limits))
	}
	if info.Size() > limits.Zip {
		return nil, fault.New(fault.Invalid, "timetable %s: %d bytes are more than the %d this program takes", path, info.Size(), limits.Zip)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "timetable %s: it is neither a folder nor a zip: %w", path, err)
	}
	defer z.Close()
	return wrap(path)(ReadZip(&z.Reader, limits))
}

func wrap(path string) func(*Timetable, error) (*Timetable, error) {
	return func(t *Timetable, err error) (*Timetable, error) {
		if err != nil {
			return nil, fmt.Errorf("timetable %s: %w", path, err)
		}
		return t, nil
	}
}

// ReadZip reads a timetable from an open zip.
func ReadZip(z *zip.Reader, limits Limits) (*Timetable, error) {
	if err := checkZip(z, limits); err != nil {
		return nil, err
	}
	return Read(z, limits)
}

// checkZip refuses a zip whose files are too many, or one of them twice.
func checkZip(z *zip.Reader, limits Limits) error {
	if len(z.File) > limits.Files {
		return fault.New(fault.Invalid, "%d files are more than the %d this program takes", len(z.File), limits.Files)
	}
	seen := map[string]bool{}
	for _, f := range z.File {
		if seen[f.Name] {
			return fault.New(fault.Invalid, "%.100q stands twice in the zip", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// Read reads a timetable from the files at the top of fsys.
func Read(fsys fs.FS, limits Limits) (*Timetable, error) {
	b := &builder{source: source{fsys, limits, limits.Bytes}, out: &Timetable{},
		stops: map[string]int32{}, routes: map[string]string{}, services: map[string]int32{}, trips: map[string]int32{}}
	for _, step := range []func() error{b.agency, b.feedInfo, b.readStops, b.readRoutes, b.calendar, b.calendarDates, b.readTrips, b.stopTimes, b.frequencies, b.finish} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.out, nil
}

// builder puts a timetable together; the maps go from the names of the files
// to places in its slices.
type builder struct {
	source
	out      *Timetable
	stops    map[string]int32 // -1: a station, an entrance: no bus halts there
	routes   map[string]string
	services map[string]int32
	trips    map[string]int32
}

// each reads all rows of a file.
func (b *builder) each(name string, row func(*table) error) error {
	t, err := b.open(name)
	if err != nil {
		return err
	}
	defer t.close()
	for {
		more, err := t.next()
		if err != nil || !more {
			return err
		}
		if err := row(t); err != nil {
			return err
		}
	}
}
