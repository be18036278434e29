package roads

import (
	"context"
	"encoding/json"
	"io"
	"math"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// schematic is a map of places joined by straight lines, each with its length
// and time.
type schematic struct {
	Source string          `json:"source"`
	Nodes  []schematicNode `json:"nodes"`
	Edges  []schematicEdge `json:"edges"`
}

type schematicNode struct {
	ID  string  `json:"id"`
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type schematicEdge struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Metres  float64 `json:"metres"`
	Seconds float64 `json:"seconds"`
}

// Limits of a schematic: its size, and how far from its lines a place may be.
// The lines are not where the roads are, so there is no better speed to reach
// one than that of a small road.
const (
	maxSchematic   = 16 << 20
	schematicLimit = 5000
	schematicOff   = 30 / 3.6
)

// ReadSchematic reads nodes and two-way edges with their lengths and times:
//
//	{"source": "…", "nodes": [{"id": "a", "lat": 44.5, "lon": 8.1}],
//	 "edges": [{"from": "a", "to": "b", "metres": 5200, "seconds": 430}]}
//
// It says of itself that it is an estimate. Unknown keys, an edge to nowhere, a
// place twice and what is no length or time are Invalid.
func ReadSchematic(r io.Reader) (*Graph, error) {
	in := &io.LimitedReader{R: r, N: maxSchematic + 1}
	dec := json.NewDecoder(in)
	dec.DisallowUnknownFields()
	var s schematic
	err := dec.Decode(&s)
	if in.N <= 0 {
		return nil, fault.New(fault.Invalid, "schematic roads: more than %d MB", maxSchematic>>20)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "schematic roads: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "schematic roads: something follows the end")
	}
	return s.graph()
}

func (s *schematic) graph() (*Graph, error) {
	if s.Source == "" {
		return nil, fault.New(fault.Invalid, "schematic roads: source: say what the lines rest on")
	}
	at := make(map[string]uint32, len(s.Nodes))
	nodes := make([]point, 0, len(s.Nodes))
	for i, n := range s.Nodes {
		p := geo.LonLat{Lon: n.Lon, Lat: n.Lat}
		if _, twice := at[n.ID]; n.ID == "" || twice || !p.Valid() {
			return nil, fault.New(fault.Invalid, "schematic roads: nodes[%d]: needs an id of its own and a position", i)
		}
		at[n.ID] = uint32(len(nodes))
		nodes = append(nodes, pointOf(p))
	}
	segs := make([]segment, 0, len(s.Edges))
	for i, e := range s.Edges {
		a, okA := at[e.From]
		b, okB := at[e.To]
		ms, dm := math.Round(e.Seconds*1000), math.Round(e.Metres*10)
		switch {
		case !okA || !okB || a == b:
			return nil, fault.New(fault.Invalid, "schematic roads: edges[%d]: from %q to %q: name two nodes", i, e.From, e.To)
		case !(ms > 0 && ms <= maxSegmentMs && dm > 0 && dm <= maxSegmentDm):
			return nil, fault.New(fault.Invalid, "schematic roads: edges[%d]: metres and seconds: more than 0, less than 1,000 km and a day", i)
		}
		segs = append(segs, segment{a: a, b: b, ab: uint32(ms), ba: uint32(ms), dm: uint32(dm)})
	}
	if len(segs) == 0 {
		return nil, fault.New(fault.Invalid, "schematic roads: edges: there are none")
	}
	car, err := newNetwork(Fastest, nodes, segs, nil)
	if err != nil {
		return nil, err
	}
	ways, err := contract(context.Background(), car, nil)
	if err != nil {
		return nil, err
	}
	g := newGraph(carpool.RoadsAbout{Kind: "schematic", Source: s.Source, Estimate: true}, car, ways, nil)
	g.setLimit(schematicLimit, schematicOff)
	return g, nil
}
