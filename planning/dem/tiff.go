package dem

import (
	"encoding/binary"
	"fmt"
	"math"
)

// TIFF 6.0, BigTIFF and the two technical notes of Adobe that heights come in.
// Only the first full-resolution image is read: overviews and masks follow it.

// The tags that matter (TIFF 6.0 §8 ff; GeoTIFF, OGC 19-008r4 §7; GDAL).
const (
	tagSubfile      = 254
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripBytes   = 279
	tagPredictor    = 317
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileBytes    = 325
	tagSampleFormat = 339
	tagPixelScale   = 33550
	tagTiepoint     = 33922
	tagTransform    = 34264
	tagGeoKeys      = 34735
	tagGeoDoubles   = 34736
	tagGeoASCII     = 34737
	tagGDALMeta     = 42112
	tagGDALNoData   = 42113
)

// Limits on what a file may ask of us.
const (
	maxImages  = 64      // directories looked through
	maxEntries = 4096    // tags in one
	maxText    = 1 << 20 // bytes of a text tag
	maxChunk   = 1 << 28 // bytes of one strip or tile, unpacked
)

// tiffFile is a file with its byte order and offset size known.
type tiffFile struct {
	input
	order binary.ByteOrder
	big   bool
}

// entry is a tag of a directory. where is the place of its value.
type entry struct {
	kind  uint16
	count uint64
	where uint64
}

// directory is the tags of one image.
type directory struct {
	*tiffFile
	tags map[uint16]entry
}

// kindSize is the bytes of a value by its type, 0 for one not known.
var kindSize = [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// openTIFF finds the directory of the full image.
func openTIFF(in input) (*directory, error) {
	head, err := in.bytes(0, 8)
	if err != nil {
		return nil, err
	}
	f := &tiffFile{input: in}
	switch string(head[:2]) {
	case "II":
		f.order = binary.LittleEndian
	case "MM":
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("not a TIFF (it begins with %q): check what was downloaded", head[:4])
	}
	next := uint64(f.order.Uint32(head[4:]))
	switch v := f.order.Uint16(head[2:]); v {
	case 42:
	case 43:
		f.big = true
		head, err = in.bytes(0, 16)
		if err != nil {
			return nil, err
		}
		if size := f.order.Uint16(head[4:]); size != 8 {
			return nil, fmt.Errorf("BigTIFF with offsets of %d bytes: only 8 are defined; the file is damaged", size)
		}
		next = f.order.Uint64(head[8:])
	default:
		return nil, fmt.Errorf("not a TIFF (version %d): check what was downloaded", v)
	}
	for n := 0; next != 0; n++ {
		if n == maxImages {
			return nil, fmt.Errorf("no full image among the first %d: the file is damaged", maxImages)
		}
		d, after, err := f.directory(next)
		if err != nil {
			return nil, err
		}
		kind, err := d.uint(tagSubfile, 0)
		if err != nil {
			return nil, err
		}
		const reduced, mask = 1, 4
		if kind&(reduced|mask) == 0 {
			return d, nil
		}
		next = after
	}
	return nil, fmt.Errorf("the TIFF holds no image: the file is damaged or was cut; download it again")
}

// directory reads the tags at off, and where the next directory is.
func (f *tiffFile) directory(off uint64) (*directory, uint64, error) {
	countSize, entrySize, offSize := uint64(2), uint64(12), uint64(4)
	if f.big {
		countSize, entrySize, offSize = 8, 20, 8
	}
	b, err := f.bytes(off, countSize)
	if err != nil {
		return nil, 0, fmt.Errorf("image directory: %w", err)
	}
	n := uint64(f.order.Uint16(b))
	if f.big {
		n = f.order.Uint64(b)
	}
	if n == 0 || n > maxEntries {
		return nil, 0, fmt.Errorf("image directory with %d tags: the file is damaged", n)
	}
	b, err = f.bytes(off+countSize, n*entrySize+offSize)
	if err != nil {
		return nil, 0, fmt.Errorf("image directory: %w", err)
	}
	d := &directory{f, make(map[uint16]entry, n)}
	for i := range n {
		e := b[i*entrySize:]
		v := entry{kind: f.order.Uint16(e[2:]), count: uint64(f.order.Uint32(e[4:]))}
		inline := off + countSize + i*entrySize + 8
		if f.big {
			v.count = f.order.Uint64(e[4:])
			inline += 4
		}
		size := uint64(0)
		if int(v.kind) < len(kindSize) {
			size = kindSize[v.kind]
		}
		if size == 0 {
			continue // a type from the future: the tag counts as absent
		}
		switch {
		case v.count <= offSize/size:
			v.where = inline
		case f.big:
			v.where = f.order.Uint64(e[12:])
		default:
			v.where = uint64(f.order.Uint32(e[8:]))
		}
		d.tags[f.order.Uint16(e)] = v
	}
	b = b[n*entrySize:]
	if f.big {
		return d, f.order.Uint64(b), nil
	}
	return d, uint64(f.order.Uint32(b)), nil
}

// raw is the bytes of a tag; nil when it is absent.
func (d *directory) raw(tag uint16, limit uint64) ([]byte, entry, error) {
	e, ok := d.tags[tag]
	if !ok {
		return nil, e, nil
	}
	size := kindSize[e.kind]
	if e.count > limit/size {
		return nil, e, fmt.Errorf("tag %d with %d values: more than the %d that can be meant; the file is damaged", tag, e.count, limit/size)
	}
	b, err := d.bytes(e.where, e.count*size)
	if err != nil {
		return nil, e, fmt.Errorf("tag %d: %w", tag, err)
	}
	return b, e, nil
}

// uints is a tag of whole numbers, at most n of them; nil when it is absent.
func (d *directory) uints(tag uint16, n uint64) ([]uint64, error) {
	b, e, err := d.raw(tag, n*8)
	if err != nil || b == nil {
		return nil, err
	}
	out := make([]uint64, min(e.count, n))
	for i := range out {
		switch e.kind {
		case 1, 7:
			out[i] = uint64(b[i])
		case 3:
			out[i] = uint64(d.order.Uint16(b[2*i:]))
		case 4, 13:
			out[i] = uint64(d.order.Uint32(b[4*i:]))
		case 16, 18:
			out[i] = d.order.Uint64(b[8*i:])
		default:
			return nil, fmt.Errorf("tag %d has values of type %d, whole numbers are wanted: the file is damaged", tag, e.kind)
		}
	}
	return out, nil
}

// uint is the first number of a tag, or def when it is absent.
func (d *directory) uint(tag uint16, def uint64) (uint64, error) {
	v, err := d.uints(tag, 1<<10)
	if err != nil {
		return 0, err
	}
	if len(v) == 0 {
		return def, nil
	}
	return v[0], nil
}

// floats is a tag of type double; nil when it is absent.
func (d *directory) floats(tag uint16) ([]float64, error) {
	b, e, err := d.raw(tag, maxText)
	if err != nil || b == nil {
		return nil, err
	}
	if e.kind != 12 {
		return nil, fmt.Errorf("tag %d has values of type %d, doubles are wanted: the file is damaged", tag, e.kind)
	}
	out := make([]float64, e.count)
	for i := range out {
		out[i] = math.Float64frombits(d.order.Uint64(b[8*i:]))
	}
	return out, nil
}

// text is a tag of characters, without its closing zero.
func (d *directory) text(tag uint16) (string, error) {
	b, _, err := d.raw(tag, maxText)
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return string(b), err
}
