package roads

import (
	"encoding/binary"
	"math"
)

// decoder reads the numbers of a file; bad once something was wrong. Nothing
// is taken from memory that the bytes left could not fill.
type decoder struct {
	b   []byte
	bad bool
}

// raw is a network before it is checked.
type raw struct {
	nodes []point
	segs  []segment
	shape []point
}

// number is one of at most most.
func (d *decoder) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if d.bad || n <= 0 || v > most {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.b)
	if d.bad || n <= 0 || v > math.MaxUint32 || v < -math.MaxUint32 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count is how many things of at least size bytes follow.
func (d *decoder) count(size int) int { return int(d.number(uint64(len(d.b) / size))) }

func (d *decoder) point(before point) point {
	lon, lat := int64(before.lon)+d.signed(), int64(before.lat)+d.signed()
	if lon < math.MinInt32 || lon > math.MaxInt32 || lat < math.MinInt32 || lat > math.MaxInt32 {
		d.bad = true
		return point{}
	}
	return point{int32(lon), int32(lat)}
}

func (d *decoder) network() *raw {
	r := &raw{nodes: make([]point, d.count(2))}
	var last point
	for i := range r.nodes {
		if d.bad {
			return r
		}
		last = d.point(last)
		r.nodes[i] = last
	}
	r.segs = make([]segment, d.count(6))
	for i := range r.segs {
		s := &r.segs[i]
		s.a = uint32(d.number(math.MaxUint32))
		b := int64(s.a) + d.signed()
		if d.bad || int(s.a) >= len(r.nodes) || b < 0 || b >= int64(len(r.nodes)) {
			d.bad = true
			return r
		}
		s.b = uint32(b)
		s.ab = uint32(d.number(math.MaxUint32)) - 1
		s.ba = uint32(d.number(math.MaxUint32)) - 1
		s.dm = uint32(d.number(math.MaxUint32))
		s.shape = uint32(len(r.shape))
		between := d.count(2)
		last := r.nodes[s.a]
		for range between {
			if d.bad {
				return r
			}
			last = d.point(last)
			r.shape = append(r.shape, last)
		}
	}
	return r
}

func (d *decoder) arcs(nodes int) arcs {
	a := arcs{first: make([]uint32, 1, nodes+1)}
	for v := range nodes {
		for range d.count(3) {
			up := d.number(uint64(nodes - 1 - v))
			hi, lo := d.number(math.MaxInt32), d.number(math.MaxInt32)
			if up == 0 {
				d.bad = true // an arc goes up
			}
			if d.bad {
				return arcs{first: make([]uint32, nodes+1)}
			}
			a.list = append(a.list, arc{uint32(v) + uint32(up), uint32(hi), uint32(lo)})
		}
		if len(a.list) > math.MaxInt32 {
			d.bad = true
		}
		a.first = append(a.first, uint32(len(a.list)))
	}
	return a
}
