package roads

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"testing"

	"github.com/paulmach/osm"
	"github.com/paulmach/osm/osmpbf"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

// What an extract holds is what another reader of the format finds in it.
func TestReadsWhatAnotherReads(t *testing.T) {
	f, err := os.Open(testdata.Shared(t, andorraFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	told := func(t osm.Tags) string {
		var out []string
		for _, x := range t {
			out = append(out, x.Key+"="+x.Value)
		}
		return fmt.Sprintf("%q", out)
	}
	type spot struct {
		lon, lat float64
		tags     string
	}
	ways, nodes := map[string]string{}, map[int64]spot{}
	s := osmpbf.New(t.Context(), f, 1)
	s.SkipRelations = true
	for s.Scan() {
		switch o := s.Object().(type) {
		case *osm.Way:
			var refs []int64
			for _, n := range o.Nodes {
				refs = append(refs, int64(n.ID))
			}
			ways[fmt.Sprint(refs)] = told(o.Tags)
		case *osm.Node:
			nodes[int64(o.ID)] = spot{o.Lon, o.Lat, told(o.Tags)}
		}
	}
	if err := s.Err(); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	s.Close()
	nWays, nNodes, wrong := 0, 0, []string{}
	ours := func(t tags) string {
		var out []string
		for _, x := range t {
			out = append(out, x.key+"="+x.value)
		}
		return fmt.Sprintf("%q", out)
	}
	_, err = Import{}.scan(context.Background(), f, "all", sink{
		used: func(int64) bool { return true },
		way: func(refs []int64, t tags) error {
			if nWays++; ways[fmt.Sprint(refs)] != ours(t) {
				wrong = append(wrong, fmt.Sprintf("way %v: %s", refs[:min(2, len(refs))], ours(t)))
			}
			return nil
		},
		node: func(id int64, at geo.LonLat, t tags) error {
			w, ok := nodes[id]
			if nNodes++; !ok || math.Abs(w.lon-at.Lon) > 1e-9 || math.Abs(w.lat-at.Lat) > 1e-9 || w.tags != ours(t) {
				wrong = append(wrong, fmt.Sprintf("node %d: %v %s, the other reads %v", id, at, ours(t), w))
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 || nNodes != len(nodes) || nWays < len(ways) || nWays == 0 {
		t.Errorf("%d ways (the other %d different ones), %d nodes (the other %d), differences: %v", nWays, len(ways), nNodes, len(nodes), wrong[:min(5, len(wrong))])
	}
	t.Logf("%d ways and %d nodes as another reader finds them", nWays, nNodes)
}
