package roads

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

const threePlaces = `{"source":"schematic: a test","nodes":[{"id":"a","lat":44.5,"lon":8.1},{"id":"b","lat":44.52,"lon":8.1},{"id":"c","lat":44.5,"lon":8.2}],
	"edges":[{"from":"a","to":"b","metres":3000,"seconds":240},{"from":"a","to":"c","metres":11000,"seconds":900.5}]}`

func TestSchematic(t *testing.T) {
	g, err := ReadSchematic(strings.NewReader(threePlaces))
	if err != nil {
		t.Fatal(err)
	}
	if a := g.About(); a.Kind != "schematic" || !a.Estimate || a.Nodes != 3 || a.Edges != 4 || a.Source != "schematic: a test" {
		t.Errorf("about: %+v", a)
	}
	a, b, c := geo.LonLat{Lon: 8.1, Lat: 44.5}, geo.LonLat{Lon: 8.1, Lat: 44.52}, geo.LonLat{Lon: 8.2, Lat: 44.5}
	legs, err := g.Legs(context.Background(), []geo.LonLat{b, a}, []geo.LonLat{c, b})
	if err != nil {
		t.Fatal(err)
	}
	if l := legs[0][0]; !l.OK || l.Time != 1140500*time.Millisecond || l.Metres != 14000 {
		t.Errorf("b to c: %+v", l)
	}
	if l := legs[1][1]; l.Time != 240*time.Second || legs[0][1].Time != 0 || !legs[0][1].OK {
		t.Errorf("a to b: %+v, b to b: %+v", l, legs[0][1])
	}
	walk, err := g.Walk(context.Background(), a, b)
	if err != nil || !walk.OK || walk.Metres < 3000 || walk.Metres > 3200 || walk.Time < 36*time.Minute || walk.Time > 38*time.Minute {
		t.Errorf("2.2 km on foot, estimated: %+v, %v", walk, err)
	}
	if walk, err := g.Walk(context.Background(), a, geo.LonLat{Lon: 8.1, Lat: 45}); err != nil || walk.OK {
		t.Errorf("55 km on foot: %+v, %v", walk, err)
	}
}

func TestSchematicRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "EOF"},
		{`[]`, "cannot unmarshal"},
		{`{"source":"s","nodes":[],"edges":[]}`, "edges: there are none"},
		{`{"nodes":[],"edges":[]}`, "source"},
		{strings.Replace(threePlaces, `"lat":44.5,`, `"lat":94.5,`, 1), "nodes[0]"},
		{strings.Replace(threePlaces, `"id":"b"`, `"id":"a"`, 1), "nodes[1]"},
		{strings.Replace(threePlaces, `"to":"c"`, `"to":"d"`, 1), "edges[1]"},
		{strings.Replace(threePlaces, `"to":"c"`, `"to":"a"`, 1), "edges[1]"},
		{strings.Replace(threePlaces, `900.5`, `-1`, 1), "edges[1]: metres and seconds"},
		{strings.Replace(threePlaces, `900.5`, `1e300`, 1), "edges[1]: metres and seconds"},
		{strings.Replace(threePlaces, `"seconds"`, `"minutes"`, 1), "unknown field"},
		{threePlaces + `{}`, "follows the end"},
	} {
		if _, err := ReadSchematic(strings.NewReader(c.text)); fault.Of(err) != fault.Invalid || !refused(err, "schematic roads", c.want) {
			t.Errorf("%.60s: %v, want %s", c.text, err, c.want)
		}
	}
}

// FuzzSchematic: whatever the bytes, no panic, and a graph that answers.
func FuzzSchematic(f *testing.F) {
	f.Add([]byte(threePlaces))
	f.Add([]byte(`{"source":"s","nodes":[{"id":"a","lat":90,"lon":180},{"id":"b","lat":-90,"lon":-180}],"edges":[{"from":"a","to":"b","metres":1,"seconds":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ReadSchematic(strings.NewReader(string(b)))
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("not Invalid: %v", err)
			}
			return
		}
		at := g.car.nodes[0].lonLat()
		if _, err := g.Legs(context.Background(), []geo.LonLat{at}, []geo.LonLat{at}); err != nil && fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
	})
}
