package roads

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

func TestCheckFindsAWrongHierarchy(t *testing.T) {
	g := town(t, 13, 12)
	told := 0
	c, err := g.Check(context.Background(), 300, 1, func(done, total int) { told = done * 1000 / total })
	if err != nil || c.Equal != 300 || c.Differ != "" || c.NoWay == 300 || told != 1000 {
		t.Errorf("%+v, %v", c, err)
	}
	for i := range g.ways.up.list {
		g.ways.up.list[i].hi += 1000
	}
	if c, err = g.Check(context.Background(), 300, 1, nil); err != nil || c.Equal == 300 || c.Differ == "" {
		t.Errorf("each arc a second longer: %+v, %v", c, err)
	}
	if _, err := g.Check(context.Background(), 0, 1, nil); fault.Of(err) != fault.Invalid {
		t.Errorf("no pairs: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Check(ctx, 10, 1, nil); err == nil {
		t.Error("an ended context went on")
	}
}

func TestFacts(t *testing.T) {
	g, err := cross().read(Import{Now: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	f := g.Facts()
	if math.Abs(f.Km-4) > 0.01 || f.Segments != 4 || f.Islands != 0 || f.FootNodes != 5 || math.Abs(f.FootKm-4) > 0.01 || f.Bounds.West != 8 || f.Bounds.North != 45.009 {
		t.Errorf("%+v", f)
	}
}
