package dem

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"testing/fstest"
)

// build writes a TIFF tag by tag, right or wrong: first the data, which begins
// at byte 16, then one directory. A value's Go type gives its TIFF type.
func build(order binary.AppendByteOrder, big bool, tags map[uint16]any, data []byte) []byte {
	mark := "II"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM"
	}
	b := []byte(mark)
	at := 16 + len(data) + len(data)%2
	if big {
		b = order.AppendUint16(b, 43)
		b = order.AppendUint16(b, 8)
		b = order.AppendUint16(b, 0)
		b = order.AppendUint64(b, uint64(at))
	} else {
		b = order.AppendUint16(b, 42)
		b = order.AppendUint32(b, uint32(at))
		b = append(b, make([]byte, 8)...)
	}
	b = append(b, data...)
	b = append(b, make([]byte, at-len(b))...)
	entry, head, inline := 12, 2, 4
	if big {
		entry, head, inline = 20, 8, 8
	}
	tail := at + head + len(tags)*entry + inline
	var long []byte
	if big {
		b = order.AppendUint64(b, uint64(len(tags)))
	} else {
		b = order.AppendUint16(b, uint16(len(tags)))
	}
	for _, id := range slices.Sorted(maps.Keys(tags)) {
		kind, n, v := value(order, tags[id])
		b = order.AppendUint16(b, id)
		b = order.AppendUint16(b, kind)
		if len(v) > inline {
			off := uint64(tail + len(long))
			long = append(long, v...)
			v = order.AppendUint32(nil, uint32(off))
			if big {
				v = order.AppendUint64(nil, off)
			}
		}
		v = append(v, make([]byte, inline-len(v))...)
		if big {
			b = order.AppendUint64(b, n)
		} else {
			b = order.AppendUint32(b, uint32(n))
		}
		b = append(b, v...)
	}
	b = append(b, make([]byte, inline)...)
	return append(b, long...)
}

func value(order binary.AppendByteOrder, v any) (kind uint16, n uint64, b []byte) {
	switch v := v.(type) {
	case string:
		return 2, uint64(len(v)) + 1, append([]byte(v), 0)
	case []uint16:
		for _, x := range v {
			b = order.AppendUint16(b, x)
		}
		return 3, uint64(len(v)), b
	case []uint32:
		for _, x := range v {
			b = order.AppendUint32(b, x)
		}
		return 4, uint64(len(v)), b
	case []uint64:
		for _, x := range v {
			b = order.AppendUint64(b, x)
		}
		return 16, uint64(len(v)), b
	case []float64:
		for _, x := range v {
			b = order.AppendUint64(b, math.Float64bits(x))
		}
		return 12, uint64(len(v)), b
	}
	panic("no such type")
}

// keys is a geo key directory of id and value pairs.
func keys(pairs ...uint16) []uint16 {
	out := []uint16{1, 1, 0, uint16(len(pairs) / 2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, pairs[i], 0, 1, pairs[i+1])
	}
	return out
}

// plainTags are those of a good file of 4 × 3 int16 in degrees, whose north-west
// cell has its centre at 8.05 E 44.95 N and whose cells are 0.1° wide.
func plainTags() map[uint16]any {
	return map[uint16]any{
		tagWidth: []uint16{4}, tagHeight: []uint16{3}, tagBits: []uint16{16}, tagCompression: []uint16{1},
		tagStripOffsets: []uint32{16}, tagStripBytes: []uint32{24}, tagRowsPerStrip: []uint16{3}, tagSampleFormat: []uint16{2},
		tagPixelScale: []float64{0.1, 0.1, 0}, tagTiepoint: []float64{0, 0, 0, 8, 45, 0},
		tagGeoKeys: keys(keyModel, modelGeographic, keyRaster, 1, keyGeographic, 4326),
	}
}

// plainHeights are 100, 101 … 111 m.
func plainHeights(order binary.AppendByteOrder) []byte {
	var b []byte
	for i := range uint16(12) {
		b = order.AppendUint16(b, 100+i)
	}
	return b
}

// with is plainTags with some changed; a nil value leaves one out.
func with(change map[uint16]any) map[uint16]any {
	t := plainTags()
	for id, v := range change {
		if t[id] = v; v == nil {
			delete(t, id)
		}
	}
	return t
}

// little is a file of plainTags with some changed.
func little(change map[uint16]any) []byte {
	return build(binary.LittleEndian, false, with(change), plainHeights(binary.LittleEndian))
}

func openBytes(name string, b []byte) (*Mosaic, error) {
	return OpenFS(fstest.MapFS{name: {Data: b}}, name)
}

// hgtBytes is a tile of n × n heights by a function of column and row.
func hgtBytes(n int, f func(col, row int) int16) []byte {
	var b bytes.Buffer
	for row := range n {
		for col := range n {
			v := f(col, row)
			b.Write([]byte{byte(uint16(v) >> 8), byte(v)})
		}
	}
	return b.Bytes()
}
