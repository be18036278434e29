package roads

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// Import says how an extract becomes a graph.
type Import struct {
	Source  string    // of the extract, with its year; "" takes the date in the file
	Heights Heights   // nil: all is taken as flat
	Metric  Metric    // of the car graph; people on foot always take the fastest way
	Now     time.Time // the moment of the build
	// Told is called with how much of which stage is done; nil for nobody.
	Told func(stage string, done, total int)
}

// licence of the data of every extract.
const licence = "© OpenStreetMap contributors, ODbL 1.0"

// Read makes a graph of an OpenStreetMap extract in the PBF format: roads for
// cars with their directions, barriers, rights and speeds, and ways on foot.
// It reads the file twice, ways first, so that only the nodes of roads are kept.
// Whatever is broken or not a road map is Invalid. Turn restrictions are not
// read.
func (o Import) Read(ctx context.Context, r io.ReadSeeker) (*Graph, error) {
	ways, header, err := o.ways(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(ways) == 0 {
		return nil, pbfError("no road in it: is it the right extract?")
	}
	j := newJunctions(ways)
	if err := o.nodes(ctx, r, j); err != nil {
		return nil, err
	}
	o.told("cut", 0, 2)
	car, err := cut(byCar, ways, j, o.Heights).network(o.Metric)
	if err != nil {
		return nil, err
	}
	o.told("cut", 1, 2)
	foot, err := cut(onFoot, ways, j, o.Heights).network(Fastest)
	if err != nil {
		return nil, err
	}
	o.told("cut", 2, 2)
	if len(car.segs) == 0 {
		return nil, pbfError("no road for cars in it: is it the right extract?")
	}
	hierarchy, err := contract(ctx, car, func(done, total int) { o.told("contract", done, total) })
	if err != nil {
		return nil, fmt.Errorf("build road graph: %w", err)
	}
	car.grid = newGrid(car)
	return newGraph(carpool.RoadsAbout{Kind: "graph", Source: o.source(header), Built: built(o.Now)}, car, hierarchy, foot), nil
}

func (o Import) told(stage string, done, total int) {
	if o.Told != nil {
		o.Told(stage, done, total)
	}
}

// source names the extract, its date and its licence.
func (o Import) source(h header) string {
	switch {
	case o.Source != "":
		return o.Source + "; " + licence
	case !h.date.IsZero():
		return "OpenStreetMap of " + h.date.Format(time.DateOnly) + "; " + licence
	}
	return licence
}

// scan runs through the file once.
func (o Import) scan(ctx context.Context, r io.ReadSeeker, stage string, to sink) (header, error) {
	var h header
	size, err := r.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err != nil {
		return h, fmt.Errorf("read OpenStreetMap PBF: %w", err)
	}
	g := &blocks{r: r, told: func(read int64) { o.told(stage, int(read), int(size)) }}
	for {
		if ctx.Err() != nil {
			return h, fmt.Errorf("read OpenStreetMap PBF: %w", ctx.Err())
		}
		kind, data, err := g.next()
		switch {
		case err == io.EOF:
			return h, nil
		case err != nil:
			return h, err
		case kind == "OSMHeader":
			h, err = headerOf(data)
		default:
			err = readBlock(data, to)
		}
		if err != nil {
			return h, err
		}
	}
}

// ways reads the ways that somebody may use.
func (o Import) ways(ctx context.Context, r io.ReadSeeker) ([]way, header, error) {
	var out []way
	h, err := o.scan(ctx, r, "ways", sink{way: func(refs []int64, t tags) error {
		if t.Find("highway") == "" || len(refs) < 2 {
			return nil
		}
		v := way{lanes: [2]lane{carLane(t), footLane(t)}, refs: refs}
		if !v.lanes[byCar].open() && !v.lanes[onFoot].open() {
			return nil
		}
		bridge, tunnel := t.Find("bridge"), t.Find("tunnel")
		v.level = bridge != "" && bridge != "no" || tunnel != "" && tunnel != "no"
		out = append(out, v)
		return nil
	}})
	return out, h, err
}

// nodes reads the nodes of those ways.
func (o Import) nodes(ctx context.Context, r io.ReadSeeker, j *junctions) error {
	_, err := o.scan(ctx, r, "nodes", sink{
		used: func(id int64) bool { _, used := j.find(id); return used },
		node: func(id int64, p geo.LonLat, t tags) error {
			if !p.Valid() {
				return pbfError("node %d lies outside the world", id)
			}
			i, _ := j.find(id)
			j.at[i], j.known[i] = pointOf(p), true
			j.stops[byCar][i], j.stops[onFoot][i] = carStops(t), footStops(t)
			return nil
		},
	})
	return err
}
