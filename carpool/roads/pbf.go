package roads

import (
	"math"
	"time"

	"github.com/crinale/crinale/internal/geo"
)

// tags of a way or a node.
type tags []tag

type tag struct{ key, value string }

// Find is the value of a key, "" where there is none.
func (t tags) Find(key string) string {
	for _, x := range t {
		if x.key == key {
			return x.value
		}
	}
	return ""
}

// sink takes what an extract holds. What it has no function for is not read.
type sink struct {
	way  func(refs []int64, t tags) error
	used func(node int64) bool // of these only
	node func(id int64, at geo.LonLat, t tags) error
}

// header of an extract.
type header struct{ date time.Time }

// features of the format that are read.
var features = map[string]bool{"OsmSchema-V0.6": true, "DenseNodes": true, "HistoricalInformation": true}

// headerOf reads the block of the header (osmformat.proto, HeaderBlock).
func headerOf(b []byte) (h header, err error) {
	err = eachField(b, func(f field) error {
		switch {
		case f.number == 4 && f.wire == wireBytes && !features[string(f.bytes)]:
			return pbfError("it needs %.40q, which is not read here: write it anew (osmium cat -o FILE.osm.pbf)", f.bytes)
		case f.number == 32 && f.wire == wireVarint && f.value > 0 && f.value < 1<<40:
			h.date = time.Unix(int64(f.value), 0).UTC()
		}
		return nil
	})
	return h, err
}

// block is a block of ways and nodes (osmformat.proto, PrimitiveBlock). Every
// string must be in its table, lists that go together must be as long as each
// other, and no list may come twice.
type block struct {
	strings          []string
	step             int64 // granularity, 1e-9 degrees
	latBase, lonBase int64
	to               sink
}

func readBlock(b []byte, to sink) error {
	k := block{step: 100, to: to}
	tables := 0
	err := eachField(b, func(f field) error {
		switch f.number {
		case 1:
			tables++
			if f.wire != wireBytes || tables > 1 {
				return pbfError("more than one table of strings in a block")
			}
			return eachField(f.bytes, func(s field) error {
				if s.number == 1 && s.wire == wireBytes {
					k.strings = append(k.strings, string(s.bytes))
				}
				return nil
			})
		case 17, 18, 19, 20:
			if f.wire != wireVarint {
				return pbfError("a broken granularity or offset")
			}
			switch f.number {
			case 17:
				k.step = int64(f.value)
			case 19:
				k.latBase = int64(f.value)
			case 20:
				k.lonBase = int64(f.value)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return eachField(b, func(f field) error {
		if f.number != 2 {
			return nil
		}
		if f.wire != wireBytes {
			return pbfError("a broken group")
		}
		return eachField(f.bytes, k.member)
	})
}

// member is a way, or all nodes of a group. Relations are not read.
func (k *block) member(f field) error {
	switch {
	case f.number == 1:
		return pbfError("nodes that are not dense: write it anew (osmium cat -o FILE.osm.pbf)")
	case f.number > 1 && f.number <= 4 && f.wire != wireBytes:
		return pbfError("a broken group")
	case f.number == 2 && k.to.node != nil:
		return k.dense(f.bytes)
	case f.number == 3 && k.to.way != nil:
		return k.way(f.bytes)
	}
	return nil
}

// lists gathers packed fields by number, each once.
type lists map[uint64][]byte

func (l lists) take(f field, known ...uint64) error {
	for _, k := range known {
		if f.number != k {
			continue
		}
		if _, twice := l[k]; twice || f.wire != wireBytes {
			return pbfError("a list that is broken or comes twice")
		}
		l[k] = f.bytes
	}
	return nil
}

// numbers of a list.
func (l lists) numbers(k uint64) ([]uint64, error) {
	out := make([]uint64, 0, len(l[k]))
	_, err := eachNumber(l[k], func(v uint64) error { out = append(out, v); return nil })
	return out, err
}

// sums of a list of differences.
func (l lists) sums(k uint64) ([]int64, error) {
	out := make([]int64, 0, len(l[k]))
	sum := int64(0)
	_, err := eachNumber(l[k], func(v uint64) error {
		sum += zigzag(v)
		out = append(out, sum)
		return nil
	})
	return out, err
}

func (k *block) text(i uint64) (string, error) {
	if i >= uint64(len(k.strings)) {
		return "", pbfError("a string that is not in the table")
	}
	return k.strings[i], nil
}

var errLengths = pbfError("lists that go together are not as long as each other")

// dense are nodes (osmformat.proto, DenseNodes).
func (k *block) dense(b []byte) error {
	l, info := lists{}, lists{}
	err := eachField(b, func(f field) error {
		if f.number == 5 && f.wire == wireBytes {
			return eachField(f.bytes, func(f field) error { return info.take(f, 6) })
		}
		return l.take(f, 1, 8, 9, 10)
	})
	if err != nil {
		return err
	}
	ids, err := l.sums(1)
	if err != nil {
		return err
	}
	lats, err := l.sums(8)
	if err != nil {
		return err
	}
	lons, err := l.sums(9)
	if err != nil {
		return err
	}
	visible, err := info.numbers(6)
	if err != nil {
		return err
	}
	marks, err := l.numbers(10)
	if err != nil {
		return err
	}
	if len(lats) != len(ids) || len(lons) != len(ids) || len(visible) > 0 && len(visible) != len(ids) {
		return errLengths
	}
	tagged := len(marks) > 0
	for i, id := range ids {
		var own []uint64
		if tagged {
			if own, marks, err = nodeTags(marks); err != nil {
				return err
			}
		}
		if len(visible) > 0 && visible[i] == 0 || !k.to.used(id) {
			continue
		}
		t, err := k.pairs(own)
		if err != nil {
			return err
		}
		if err := k.to.node(id, geo.LonLat{Lon: k.degrees(k.lonBase, lons[i]), Lat: k.degrees(k.latBase, lats[i])}, t); err != nil {
			return err
		}
	}
	if len(marks) > 0 {
		return pbfError("tags of nodes that do not end")
	}
	return nil
}

func (k *block) degrees(base, v int64) float64 {
	return math.FMA(float64(k.step), float64(v), float64(base)) * 1e-9
}

// nodeTags cuts the keys and values of one node off a list of them: by turns,
// closed by 0.
func nodeTags(marks []uint64) (own, rest []uint64, err error) {
	for i := 0; i < len(marks); i += 2 {
		if marks[i] == 0 {
			return marks[:i], marks[i+1:], nil
		}
	}
	return nil, nil, pbfError("tags of nodes that do not end")
}

// pairs are tags given as key, value, key, value.
func (k *block) pairs(of []uint64) (tags, error) {
	t := make(tags, 0, len(of)/2)
	for i := 0; i+1 < len(of); i += 2 {
		key, err := k.text(of[i])
		if err != nil {
			return nil, err
		}
		value, err := k.text(of[i+1])
		if err != nil {
			return nil, err
		}
		t = append(t, tag{key, value})
	}
	return t, nil
}

// way is one way (osmformat.proto, Way).
func (k *block) way(b []byte) error {
	l, visible := lists{}, true
	err := eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire != wireVarint:
			return pbfError("a way with a broken number")
		case f.number == 4 && f.wire == wireBytes:
			return eachField(f.bytes, func(f field) error {
				if f.number <= 6 && f.wire != wireVarint {
					return pbfError("a way with a broken description")
				}
				visible = visible && !(f.number == 6 && f.value == 0)
				return nil
			})
		}
		return l.take(f, 2, 3, 8)
	})
	if err != nil {
		return err
	}
	keys, err := l.numbers(2)
	if err != nil {
		return err
	}
	values, err := l.numbers(3)
	if err != nil {
		return err
	}
	refs, err := l.sums(8)
	if err != nil {
		return err
	}
	if len(keys) != len(values) {
		return errLengths
	}
	both := make([]uint64, 0, 2*len(keys))
	for i := range keys {
		both = append(both, keys[i], values[i])
	}
	t, err := k.pairs(both)
	if err != nil || !visible {
		return err
	}
	return k.to.way(refs, t)
}
