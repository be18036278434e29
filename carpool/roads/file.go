package roads

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// A built graph on disk: the mark with the version, the description as JSON,
// the roads for cars, their hierarchy, the ways on foot, and the SHA-256 of all
// before it. Numbers are variable-length, most of them differences from the one
// before; what can be found from the rest in a moment is not stored.
const (
	fileMark   = "crinale roads 1\n"
	maxFile    = 2 << 30
	maxRemarks = 64 << 10
)

// remarks are the description in a file.
type remarks struct {
	Kind     string    `json:"kind"`
	Source   string    `json:"source"`
	Estimate bool      `json:"estimate"`
	Built    time.Time `json:"built"`
	Metric   Metric    `json:"metric"`
	Foot     bool      `json:"foot"`
	LimitM   float64   `json:"limit_m"`
	OffMS    float64   `json:"off_ms"`
}

// WriteTo writes the graph as Read reads it, the same bytes each time.
func (g *Graph) WriteTo(w io.Writer) (int64, error) {
	text, err := json.Marshal(remarks{g.about.Kind, g.about.Source, g.about.Estimate, g.about.Built,
		g.car.metric, g.foot != nil, float64(g.onRoad.limit), g.onRoad.speed})
	if err != nil {
		return 0, err
	}
	var b bytes.Buffer
	b.WriteString(fileMark)
	e := encoder{&b}
	e.number(uint64(len(text)))
	b.Write(text)
	e.network(g.car)
	e.arcs(&g.ways.up)
	e.arcs(&g.ways.down)
	if g.foot != nil {
		e.network(g.foot)
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.WriteTo(w)
}

// Read reads a graph that WriteTo wrote. A file that is cut, changed, of
// another version or of another program is Invalid.
func Read(r io.Reader) (*Graph, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxFile:
		return nil, fileError("more than 2 GB")
	case len(b) < len(fileMark) || string(b[:len(fileMark)-2]) != fileMark[:len(fileMark)-2]:
		return nil, fileError("not one: make it with crinale carpool roads import")
	case string(b[:len(fileMark)]) != fileMark:
		return nil, fileError("of another version: make it anew with crinale carpool roads import")
	case len(b) < len(fileMark)+sha256.Size:
		return nil, fileError("cut short: copy it again")
	}
	body := b[:len(b)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return nil, fileError("damaged or cut short (its checksum is another): copy it again")
	}
	return decode(body[len(fileMark):])
}

func fileError(format string, args ...any) error {
	return fault.New(fault.Invalid, "road graph file: "+format, args...)
}

// decode reads what stands between mark and checksum.
func decode(b []byte) (*Graph, error) {
	d := decoder{b: b}
	n := d.count(1)
	if d.bad || n > maxRemarks || n > len(d.b) {
		return nil, fileError("its description is broken")
	}
	var m remarks
	dec := json.NewDecoder(bytes.NewReader(d.b[:n]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return nil, fileError("its description: %w", err)
	}
	if m.Metric > Shortest || !(m.LimitM > 0 && m.LimitM <= 1e6) || !(m.OffMS > 0.1 && m.OffMS < 100) {
		return nil, fileError("its description: metric, limit_m or off_ms is out of range")
	}
	d.b = d.b[n:]
	car := d.network()
	ways := &hierarchy{count: len(car.nodes), up: d.arcs(len(car.nodes)), down: d.arcs(len(car.nodes))}
	var foot *raw
	if m.Foot {
		foot = d.network()
	}
	if d.bad || len(d.b) != 0 {
		return nil, fileError("its content is broken")
	}
	roads, err := newNetwork(m.Metric, car.nodes, car.segs, car.shape)
	if err != nil {
		return nil, err
	}
	var paths *network
	if foot != nil {
		if paths, err = newNetwork(Fastest, foot.nodes, foot.segs, foot.shape); err != nil {
			return nil, err
		}
	}
	g := newGraph(carpool.RoadsAbout{Kind: m.Kind, Source: m.Source, Estimate: m.Estimate, Built: m.Built}, roads, ways, paths)
	g.setLimit(m.LimitM, m.OffMS)
	return g, nil
}

type encoder struct{ b *bytes.Buffer }

func (e encoder) number(v uint64) { e.b.Write(binary.AppendUvarint(e.b.AvailableBuffer(), v)) }

func (e encoder) signed(v int64) { e.b.Write(binary.AppendVarint(e.b.AvailableBuffer(), v)) }

func (e encoder) point(p, before point) {
	e.signed(int64(p.lon) - int64(before.lon))
	e.signed(int64(p.lat) - int64(before.lat))
}

// network: the nodes, then each segment with the points between its ends.
func (e encoder) network(n *network) {
	e.number(uint64(len(n.nodes)))
	var last point
	for _, p := range n.nodes {
		e.point(p, last)
		last = p
	}
	e.number(uint64(len(n.segs)))
	var buf []point
	for i, s := range n.segs {
		e.number(uint64(s.a))
		e.signed(int64(s.b) - int64(s.a))
		e.number(uint64(s.ab + 1)) // shut is 0
		e.number(uint64(s.ba + 1))
		e.number(uint64(s.dm))
		buf = n.line(uint32(i), buf)
		e.number(uint64(len(buf) - 2))
		for k := 1; k < len(buf)-1; k++ {
			e.point(buf[k], buf[k-1])
		}
	}
}

// arcs of each node: how far up the other end is, and the weight.
func (e encoder) arcs(a *arcs) {
	for v := range len(a.first) - 1 {
		of := a.of(uint32(v))
		e.number(uint64(len(of)))
		for _, b := range of {
			e.number(uint64(b.to) - uint64(v))
			e.number(uint64(b.hi))
			e.number(uint64(b.lo))
		}
	}
}
