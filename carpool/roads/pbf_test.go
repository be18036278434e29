package roads

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// sketch is a small map that is written as PBF: nodes by number with position
// and tags, ways by their nodes and tags.
type sketch struct {
	nodes []sketchNode
	ways  []sketchWay
}

type sketchNode struct {
	id       int64
	lon, lat float64
	tags     string
}

type sketchWay struct {
	tags string
	refs []int64
}

func varints(signed bool, v ...int64) []byte {
	var b []byte
	for _, x := range v {
		if signed {
			b = binary.AppendVarint(b, x)
		} else {
			b = binary.AppendUvarint(b, uint64(x))
		}
	}
	return b
}

func bytesField(number uint64, data []byte) []byte {
	b := binary.AppendUvarint(nil, number<<3|wireBytes)
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

func deltas(v []int64) []byte {
	var b []byte
	last := int64(0)
	for _, x := range v {
		b = binary.AppendVarint(b, x-last)
		last = x
	}
	return b
}

// block is the sketch as a primitive block.
func (s sketch) block() []byte {
	table := []string{""}
	at := map[string]int64{}
	str := func(v string) int64 {
		if _, ok := at[v]; !ok {
			at[v] = int64(len(table))
			table = append(table, v)
		}
		return at[v]
	}
	var ids, lats, lons []int64
	var tags []byte
	for _, n := range s.nodes {
		ids, lats, lons = append(ids, n.id), append(lats, int64(math.Round(n.lat*1e7))), append(lons, int64(math.Round(n.lon*1e7)))
		for _, t := range tagged(n.tags) {
			tags = append(tags, varints(false, str(t.key), str(t.value))...)
		}
		tags = append(tags, 0)
	}
	dense := append(bytesField(1, deltas(ids)), bytesField(8, deltas(lats))...)
	dense = append(append(dense, bytesField(9, deltas(lons))...), bytesField(10, tags)...)
	group := bytesField(2, dense)
	var ways []byte
	for i, w := range s.ways {
		var keys, values []byte
		for _, t := range tagged(w.tags) {
			keys, values = append(keys, varints(false, str(t.key))...), append(values, varints(false, str(t.value))...)
		}
		way := append([]byte{1<<3 | wireVarint}, varints(false, int64(i+1))...)
		way = append(append(append(way, bytesField(2, keys)...), bytesField(3, values)...), bytesField(8, deltas(w.refs))...)
		ways = append(ways, bytesField(3, way)...)
	}
	var strs []byte
	for _, t := range table {
		strs = append(strs, bytesField(1, []byte(t))...)
	}
	b := append(bytesField(1, strs), bytesField(2, group)...)
	return append(b, bytesField(2, ways)...)
}

func blockOf(kind string, data []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(data)
	_ = w.Close()
	blob := append([]byte{2<<3 | wireVarint}, varints(false, int64(len(data)))...)
	return framed(kind, append(blob, bytesField(3, z.Bytes())...))
}

func framed(kind string, blob []byte) []byte {
	head := append(bytesField(1, []byte(kind)), 3<<3|wireVarint)
	head = append(head, varints(false, int64(len(blob)))...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(head))), head...), blob...)
}

func pbfHeader() []byte {
	return blockOf("OSMHeader", append(bytesField(4, []byte("OsmSchema-V0.6")), bytesField(4, []byte("DenseNodes"))...))
}

func (s sketch) pbf() []byte { return append(pbfHeader(), blockOf("OSMData", s.block())...) }

func (s sketch) read(o Import) (*Graph, error) {
	return o.Read(context.Background(), bytes.NewReader(s.pbf()))
}

// cross is two streets that meet, 1 km each arm, all two-way.
func cross() sketch {
	return sketch{
		nodes: []sketchNode{{1, 8, 45, ""}, {2, 8.0127, 45, ""}, {3, 8.0254, 45, ""}, {4, 8.0127, 45.009, ""}, {5, 8.0127, 44.991, ""}, {6, 8.006, 45.0005, ""}},
		ways: []sketchWay{
			{"highway=residential", []int64{1, 6, 2, 3}},
			{"highway=residential", []int64{4, 2, 5}},
		},
	}
}

func way1(t *testing.T, g *Graph, a, b geo.LonLat) (time.Duration, bool) {
	t.Helper()
	l, err := g.Legs(context.Background(), []geo.LonLat{a}, []geo.LonLat{b})
	if err != nil {
		t.Fatal(err)
	}
	return l[0][0].Time.Round(time.Second), l[0][0].OK
}

var west, east, north = geo.LonLat{Lon: 8, Lat: 45}, geo.LonLat{Lon: 8.0254, Lat: 45}, geo.LonLat{Lon: 8.0127, Lat: 45.009}

func TestReadCutsWhereWaysMeet(t *testing.T) {
	var stages []string
	now := time.Date(2026, 5, 4, 3, 2, 1, 7, time.UTC)
	g, err := cross().read(Import{Source: "a sketch, 2026", Now: now, Told: func(stage string, _, _ int) { stages = append(stages, stage) }})
	if err != nil {
		t.Fatal(err)
	}
	if a := g.About(); a.Nodes != 5 || a.Edges != 8 || a.Kind != "graph" || a.Estimate || !strings.Contains(a.Source, "a sketch, 2026; © OpenStreetMap") || !a.Built.Equal(now.Truncate(time.Second)) {
		t.Errorf("about: %+v", a)
	}
	if len(g.car.shape) != 1 {
		t.Errorf("%d points between, want the bend", len(g.car.shape))
	}
	if d, ok := way1(t, g, west, north); !ok || d < 256*time.Second || d > 259*time.Second {
		t.Errorf("2 km at 28 km/h: %v, %v", d, ok)
	}
	for _, s := range []string{"ways", "nodes", "cut", "contract"} {
		if !strings.Contains(strings.Join(stages, " "), s) {
			t.Errorf("nothing was told of %s: %v", s, stages)
		}
	}
}

func TestReadTakesDirectionsBarriersAndRights(t *testing.T) {
	for _, c := range []struct {
		name            string
		change          func(*sketch)
		there, back, on bool // west to north, north to west, on foot
	}{
		{"as it is", func(*sketch) {}, true, true, true},
		{"one-way", func(s *sketch) { s.ways[0].tags += " oneway=yes" }, true, false, true},
		{"one-way against its nodes", func(s *sketch) { s.ways[0].tags += " oneway=-1" }, false, true, true},
		{"a bollard on the way", func(s *sketch) { s.nodes[5].tags = "barrier=bollard" }, false, false, true},
		{"a bollard at the crossing", func(s *sketch) { s.nodes[1].tags = "barrier=bollard" }, false, false, true},
		{"a gate", func(s *sketch) { s.nodes[5].tags = "barrier=gate" }, true, true, true},
		{"a locked gate", func(s *sketch) { s.nodes[5].tags = "barrier=gate access=private" }, false, false, false},
		{"one level over the other", func(s *sketch) { s.ways[1].refs = []int64{4, 5} }, false, false, false},
		{"beyond the border", func(s *sketch) { s.ways[0].refs = []int64{1, 6, 99, 2, 3} }, false, false, false},
		{"drawn twice", func(s *sketch) { s.ways[0].refs = []int64{1, 1, 6, 6, 2, 2, 3} }, true, true, true},
	} {
		s := cross()
		c.change(&s)
		g, err := s.read(Import{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		// The ends may be on islands now: then there is no way.
		g.onRoad.slack, g.onFoot.slack = 0, 0
		if _, ok := way1(t, g, west, north); ok != c.there {
			t.Errorf("%s: there %v, want %v", c.name, ok, c.there)
		}
		if _, ok := way1(t, g, north, west); ok != c.back {
			t.Errorf("%s: back %v, want %v", c.name, ok, c.back)
		}
		l, err := g.Walk(context.Background(), west, north)
		if err != nil || l.OK != c.on {
			t.Errorf("%s: on foot %v, %v, want %v", c.name, l, err, c.on)
		}
	}
}

func TestReadTakesHeights(t *testing.T) {
	// A slope of 10 % up to the east.
	h := func(p geo.LonLat) (unit.Metres, bool) {
		return west.Distance(geo.LonLat{Lon: p.Lon, Lat: 45}) * 0.1, true
	}
	flat, err := cross().read(Import{})
	if err != nil {
		t.Fatal(err)
	}
	hill, err := cross().read(Import{Heights: h})
	if err != nil {
		t.Fatal(err)
	}
	s := cross()
	s.ways[0].tags += " bridge=yes"
	bridge, err := s.read(Import{Heights: func(p geo.LonLat) (unit.Metres, bool) {
		if p.Lon > 8.001 && p.Lon < 8.012 || p.Lon > 8.013 && p.Lon < 8.025 {
			return -500, true // the valley under it
		}
		return 0, true
	}})
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := cross().read(Import{Heights: func(geo.LonLat) (unit.Metres, bool) { return 0, false }})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := way1(t, flat, west, east)
	u, _ := way1(t, hill, west, east)
	if ratio := u.Seconds() / f.Seconds(); ratio < 1.22 || ratio > 1.27 {
		t.Errorf("2 km at 10 %%: %v, on the flat %v; want a quarter more", u, f)
	}
	if b, _ := way1(t, bridge, west, east); b != f {
		t.Errorf("over the bridge %v, on the flat %v", b, f)
	}
	if k, _ := way1(t, unknown, west, east); k != f {
		t.Errorf("heights unknown %v, flat %v", k, f)
	}
	up, err1 := hill.Walk(context.Background(), west, east)
	down, err2 := hill.Walk(context.Background(), east, west)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	// Tobler: 3.549 km/h up 10 %, 5.037 down 10 %.
	if r := up.Time.Seconds() / down.Time.Seconds(); r < 1.40 || r > 1.44 || up.Metres != down.Metres {
		t.Errorf("up %v, down %v: ratio %.3f, want 1.419", up, down, r)
	}
}

func TestReadRefuses(t *testing.T) {
	whole := cross().pbf()
	empty := sketch{nodes: cross().nodes}
	water := cross()
	water.ways[0].tags, water.ways[1].tags = "waterway=river", "highway=proposed"
	paths := cross()
	paths.ways[0].tags, paths.ways[1].tags = "highway=path", "highway=path"
	outside := cross()
	outside.nodes[2].lat = 97
	alone := cross()
	alone.nodes = alone.nodes[:1]
	bomb := framed("OSMData", append(append([]byte{2<<3 | wireVarint}, varints(false, 1<<31-1)...), bytesField(3, []byte{0x78, 0x9c})...))
	liar := framed("OSMData", append(append([]byte{2<<3 | wireVarint}, varints(false, 10)...), zipped(make([]byte, 20<<20))...))
	negative := framed("OSMData", append(append([]byte{2<<3 | wireVarint}, varints(false, -1)...), zipped([]byte("x"))...))
	huge := append(binary.BigEndian.AppendUint32(nil, 14), append(append(bytesField(1, []byte("OSMData")), 3<<3|wireVarint), varints(false, 1<<27)...)...)
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "empty", nil},
		{"a text", "no PBF file", []byte("<?xml version='1.0'?><osm></osm>")},
		{"half a length", "middle", whole[:3]},
		{"half a header", "middle", whole[:12]},
		{"half a block", "middle", whole[:len(whole)-40]},
		{"a header alone", "no road", pbfHeader()},
		{"data without a header", "begin with a header", whole[len(pbfHeader()):]},
		{"two headers", "second header", append(pbfHeader(), whole...)},
		{"nodes alone", "no road", empty.pbf()},
		{"rivers", "no road", water.pbf()},
		{"paths", "no road for cars", paths.pbf()},
		{"a node north of the pole", "node 3 lies outside the world", outside.pbf()},
		{"nodes that are not there", "no road for cars", alone.pbf()},
		{"a bomb by its word", "more than 32 MB", append(pbfHeader(), bomb...)},
		{"a bomb that says it is small", "another size", append(pbfHeader(), liar...)},
		{"less than nothing", "more than 32 MB", append(pbfHeader(), negative...)},
		{"a block of 128 MB to come", "more than 32 MB", append(pbfHeader(), huge...)},
		{"lzma", "other means than zlib", append(pbfHeader(), framed("OSMData", bytesField(4, []byte("x")))...)},
		{"a blob without data", "without data", append(pbfHeader(), framed("OSMData", nil)...)},
		{"a feature nobody has", "Nonsense", blockOf("OSMHeader", bytesField(4, []byte("Nonsense-V9")))},
		{"plain nodes", "not dense", append(pbfHeader(), blockOf("OSMData", bytesField(2, bytesField(1, nil)))...)},
	} {
		_, err := (Import{}).Read(context.Background(), bytes.NewReader(c.data))
		if fault.Of(err) != fault.Invalid || !refused(err, c.want) {
			t.Errorf("%s: %v of kind %v, want %s", c.name, err, fault.Of(err), c.want)
		}
	}
	other := append(append(pbfHeader(), framed("OSMNews", []byte("what comes one day"))...), whole[len(pbfHeader()):]...)
	if _, err := (Import{}).Read(context.Background(), bytes.NewReader(other)); err != nil {
		t.Errorf("a block of a kind that is to be skipped: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Import{}).Read(ctx, bytes.NewReader(whole)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

func zipped(data []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(data)
	_ = w.Close()
	return bytesField(3, z.Bytes())
}

// Each list that a decoder takes for granted, broken in turn.
func TestBlockIsCheckedBeforeItIsDecoded(t *testing.T) {
	strs := bytesField(1, append(bytesField(1, nil), bytesField(1, []byte("highway"))...))
	dense := func(fields ...[]byte) []byte {
		return append(bytes.Clone(strs), bytesField(2, bytesField(2, bytes.Join(fields, nil)))...)
	}
	way := func(fields ...[]byte) []byte {
		return append(bytes.Clone(strs), bytesField(2, bytesField(3, bytes.Join(fields, nil)))...)
	}
	one := []byte{2}
	for _, c := range []struct {
		name, want string
		block      []byte
	}{
		{"two tables", "more than one table", append(bytes.Clone(strs), strs...)},
		{"a latitude too few", "as long as each other", dense(bytesField(1, []byte{2, 2}), bytesField(8, one), bytesField(9, []byte{2, 2}))},
		{"a tag beyond the table", "not in the table", dense(bytesField(1, one), bytesField(8, one), bytesField(9, one), bytesField(10, []byte{1, 7, 0}))},
		{"tags without an end", "do not end", dense(bytesField(1, one), bytesField(8, one), bytesField(9, one), bytesField(10, []byte{1, 1}))},
		{"ids twice", "comes twice", dense(bytesField(1, one), bytesField(1, one))},
		{"keys without values", "as long as each other", way(bytesField(2, []byte{1, 1}), bytesField(3, []byte{1}))},
		{"a key beyond the table", "not in the table", way(bytesField(2, []byte{9}), bytesField(3, []byte{1}))},
		{"nodes twice", "comes twice", way(bytesField(8, one), bytesField(8, []byte{2, 2}))},
		{"a number without end", "broken number", way(bytesField(8, []byte{0x80}))},
		{"a field without end", "longer than its message", append(bytes.Clone(strs), 2<<3|wireBytes, 100, 1)},
		{"a group of old", "unknown type", []byte{2<<3 | 3}},
		{"field 0", "broken message", []byte{0}},
	} {
		if err := readBlock(c.block, everything); !refused(err, c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		_, err := (Import{}).Read(context.Background(), bytes.NewReader(append(pbfHeader(), blockOf("OSMData", c.block)...)))
		if fault.Of(err) != fault.Invalid {
			t.Errorf("%s, in a file: %v", c.name, err)
		}
	}
}

// everything that a block may hold, and no use for it.
var everything = sink{
	way:  func([]int64, tags) error { return nil },
	used: func(int64) bool { return true },
	node: func(int64, geo.LonLat, tags) error { return nil },
}

// FuzzBlock: whatever a block holds, it is read or refused.
func FuzzBlock(f *testing.F) {
	f.Add(cross().block())
	f.Add(bytesField(2, bytesField(2, nil)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := readBlock(b, everything); err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%v of kind %v", err, fault.Of(err))
		}
		if _, err := (Import{}).Read(context.Background(), bytes.NewReader(append(pbfHeader(), blockOf("OSMData", b)...))); err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%v of kind %v", err, fault.Of(err))
		}
	})
}

// FuzzRead: the same of a whole file.
func FuzzRead(f *testing.F) {
	f.Add(cross().pbf())
	f.Add(pbfHeader())
	f.Add([]byte("\x00\x00\x00\x0d"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := (Import{}).Read(context.Background(), bytes.NewReader(b)); err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%v of kind %v", err, fault.Of(err))
		}
	})
}
