package dem

import (
	"fmt"
	"math"
)

// layout is how the samples of an image lie in its file.
type layout struct {
	width, height           uint64
	bits, format            uint64 // of a sample; format 1 unsigned, 2 signed, 3 float
	compression, predictor  uint64
	chunkWidth, chunkHeight uint64 // of a strip or a tile
	tiled                   bool
	offsets, sizes          []uint64
}

// compressions by their numbers; the empty ones are not read.
var compressions = map[uint64]string{
	1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "packbits", 50000: "zstd",
}

// refused are the names of what is not read.
var refused = map[uint64]string{
	2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50001: "WebP", 50002: "JPEG XL",
}

// layout reads and checks the tags; room is how many cells may be taken.
func (d *directory) layout(name string, room int) (*layout, error) {
	var l layout
	var samples, rowsPerStrip, fill uint64
	for _, t := range []struct {
		tag uint16
		def uint64
		to  *uint64
	}{
		{tagWidth, 0, &l.width}, {tagHeight, 0, &l.height}, {tagBits, 1, &l.bits}, {tagSampleFormat, 1, &l.format},
		{tagCompression, 1, &l.compression}, {tagPredictor, 1, &l.predictor}, {tagSamples, 1, &samples},
		{tagRowsPerStrip, math.MaxUint32, &rowsPerStrip}, {tagFillOrder, 1, &fill},
		{tagTileWidth, 0, &l.chunkWidth}, {tagTileHeight, 0, &l.chunkHeight},
	} {
		v, err := d.uint(t.tag, t.def)
		if err != nil {
			return nil, err
		}
		*t.to = v
	}
	mend := "convert it with gdal_translate -co COMPRESS=DEFLATE " + name + " out.tif"
	switch {
	case samples != 1:
		return nil, fmt.Errorf("%d bands, heights have one: take it out with gdal_translate -b 1 %s out.tif", samples, name)
	case fill != 1:
		return nil, fmt.Errorf("its bits run backwards (fill order %d): %s", fill, mend)
	case compressions[l.compression] == "":
		what := refused[l.compression]
		if what == "" {
			what = fmt.Sprint("number ", l.compression)
		}
		return nil, fmt.Errorf("compression %s is not read: %s", what, mend)
	}
	switch [2]uint64{l.format, l.bits} {
	case [2]uint64{1, 8}, [2]uint64{1, 16}, [2]uint64{1, 32}, [2]uint64{2, 8}, [2]uint64{2, 16}, [2]uint64{2, 32}, [2]uint64{3, 32}, [2]uint64{3, 64}:
	default:
		return nil, fmt.Errorf("samples of %d bits, format %d, are not read: convert it with gdal_translate -ot Float32 %s out.tif", l.bits, l.format, name)
	}
	if l.predictor < 1 || l.predictor > 3 || l.predictor == 3 && l.format != 3 {
		return nil, fmt.Errorf("predictor %d does not go with its samples: %s", l.predictor, mend)
	}
	if err := checkCells(l.width, l.height, d.size, room); err != nil {
		return nil, err
	}
	l.tiled = l.chunkWidth != 0 || l.chunkHeight != 0
	if !l.tiled {
		l.chunkWidth, l.chunkHeight = l.width, min(max(rowsPerStrip, 1), l.height)
	}
	// A tile may reach beyond the image, but not far beyond.
	const edge = 1 << 12
	if l.chunkWidth == 0 || l.chunkHeight == 0 || l.chunkWidth > l.width+edge || l.chunkHeight > l.height+edge ||
		l.chunkWidth*l.chunkHeight > min(maxChunk/(l.bits/8), 4*l.width*l.height+1<<20) {
		return nil, fmt.Errorf("blocks of %d × %d cells are too large to read: %s", l.chunkWidth, l.chunkHeight, mend)
	}
	return &l, d.chunks(l.across()*l.down(), &l)
}

// across and down are how many chunks the image has.
func (l *layout) across() uint64 { return (l.width + l.chunkWidth - 1) / l.chunkWidth }
func (l *layout) down() uint64   { return (l.height + l.chunkHeight - 1) / l.chunkHeight }

// chunks reads where the n chunks are.
func (d *directory) chunks(n uint64, l *layout) (err error) {
	offsets, sizes := uint16(tagStripOffsets), uint16(tagStripBytes)
	if l.tiled {
		offsets, sizes = tagTileOffsets, tagTileBytes
	}
	if l.offsets, err = d.uints(offsets, n); err != nil {
		return err
	}
	if l.sizes, err = d.uints(sizes, n); err != nil {
		return err
	}
	if uint64(len(l.offsets)) < n {
		return fmt.Errorf("%d of its %d blocks have a place: the file is damaged; download it again", len(l.offsets), n)
	}
	if len(l.sizes) == 0 && l.compression == 1 { // old writers leave them out
		for i := range l.offsets {
			l.sizes = append(l.sizes, l.chunkWidth*l.rowsIn(uint64(i))*l.bits/8)
		}
	}
	if uint64(len(l.sizes)) < n {
		return fmt.Errorf("%d of its %d blocks have a size: the file is damaged; download it again", len(l.sizes), n)
	}
	return nil
}

// rowsIn is the rows stored in chunk i: the last strip is cut, tiles are not.
func (l *layout) rowsIn(i uint64) uint64 {
	if l.tiled {
		return l.chunkHeight
	}
	return min(l.chunkHeight, l.height-i*l.chunkHeight)
}
