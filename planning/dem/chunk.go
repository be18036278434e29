package dem

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/tiff/lzw"
)

// unpacker turns the stored bytes of chunks into those of samples.
type unpacker struct {
	d    *directory
	l    *layout
	buf  []byte // of one chunk
	row  []byte // of one row, for predictor 3
	in   *bufio.Reader
	zstd *zstd.Decoder
	zlib io.ReadCloser
}

// heights reads every chunk into g.
func (d *directory) heights(g *grid, l *layout, m meaning) error {
	size := l.bits / 8
	if l.format == 2 && l.bits <= 16 && m.plain() {
		g.i16 = make([]int16, g.cols*g.rows)
		for i := range g.i16 {
			g.i16[i] = void16
		}
	} else {
		g.f32 = make([]float32, g.cols*g.rows)
		for i := range g.f32 {
			g.f32[i] = float32(math.NaN())
		}
	}
	u := &unpacker{d: d, l: l}
	defer u.close()
	across := l.across()
	for i := range l.offsets {
		if l.offsets[i] == 0 || l.sizes[i] == 0 {
			continue // sparse: never written, so not known
		}
		rows := l.rowsIn(uint64(i))
		b, err := u.chunk(l.offsets[i], l.sizes[i], int(l.chunkWidth*rows*size))
		if err != nil {
			return fmt.Errorf("block %d of %d: %w", i+1, len(l.offsets), err)
		}
		col, row := int(uint64(i)%across*l.chunkWidth), int(uint64(i)/across*l.chunkHeight)
		stride := int(l.chunkWidth * size)
		n := min(int(l.chunkWidth), g.cols-col)
		for r := 0; r < int(rows) && row+r < g.rows; r++ {
			line, order := u.unpredict(b[r*stride : (r+1)*stride])
			at := (row+r)*g.cols + col
			if g.i16 != nil {
				m.int16s(g.i16[at:at+n], line, order, int(size))
			} else {
				m.float32s(g.f32[at:at+n], line, order, l)
			}
		}
	}
	return nil
}

// chunk is the want bytes that a chunk unpacks to; they last until the next.
func (u *unpacker) chunk(off, size uint64, want int) ([]byte, error) {
	if off > uint64(u.d.size) || size > uint64(u.d.size)-off {
		return nil, errTruncated(off, size, u.d.size)
	}
	if cap(u.buf) < want {
		u.buf = make([]byte, want)
	}
	b := u.buf[:want]
	stored := io.NewSectionReader(u.d, int64(off), int64(size))
	if u.in == nil {
		u.in = bufio.NewReaderSize(stored, 1<<14)
	}
	u.in.Reset(stored)
	var in io.Reader = u.in
	var err error
	switch compressions[u.l.compression] {
	case "LZW":
		z := lzw.NewReader(in, lzw.MSB, 8)
		defer z.Close()
		in = z
	case "deflate":
		if u.zlib == nil {
			u.zlib, err = zlib.NewReader(in)
		} else {
			err = u.zlib.(zlib.Resetter).Reset(in, nil)
		}
		in = u.zlib
	case "zstd":
		if u.zstd == nil {
			u.zstd, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxChunk), zstd.WithDecoderMaxWindow(1<<26))
		} else {
			err = u.zstd.Reset(in)
		}
		in = u.zstd
	case "packbits":
		err = unpackBits(b, u.in)
		if err == nil {
			return b, nil
		}
	}
	if err == nil {
		_, err = io.ReadFull(in, b)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("it ends before its %d bytes are full: truncated; download or copy the file again", want)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w: the file is damaged; download it again", compressions[u.l.compression], err)
	}
	return b, nil
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

// unpackBits fills b by the PackBits scheme (TIFF 6.0 §9).
func unpackBits(b []byte, in *bufio.Reader) error {
	for len(b) > 0 {
		c, err := in.ReadByte()
		if err != nil {
			return err
		}
		switch {
		case c < 128: // c+1 bytes as they are
			n := min(int(c)+1, len(b))
			if _, err := io.ReadFull(in, b[:n]); err != nil {
				return err
			}
			b = b[n:]
		case c > 128: // the next byte 257-c times
			v, err := in.ReadByte()
			if err != nil {
				return err
			}
			n := min(257-int(c), len(b))
			copy(b, bytes.Repeat([]byte{v}, n))
			b = b[n:]
		}
	}
	return nil
}

// unpredict undoes the predictor of one row of samples, and gives the row and
// the order of its bytes.
func (u *unpacker) unpredict(b []byte) ([]byte, binary.ByteOrder) {
	order := u.d.order
	size := int(u.l.bits / 8)
	switch u.l.predictor {
	case 2: // differences of neighbours (TIFF 6.0 §14)
		undiff(b, size, order)
	case 3: // differences of bytes, the highest of all samples first (Adobe TIFF technical note 3)
		for i := 1; i < len(b); i++ {
			b[i] += b[i-1]
		}
		if u.row == nil {
			u.row = make([]byte, len(b))
		}
		n := len(b) / size
		for i := range n {
			for k := range size {
				u.row[i*size+k] = b[k*n+i]
			}
		}
		return u.row, binary.BigEndian
	}
	return b, order
}

func undiff(b []byte, size int, order binary.ByteOrder) {
	switch size {
	case 1:
		for i := 1; i < len(b); i++ {
			b[i] += b[i-1]
		}
	case 2:
		var v uint16
		for ; len(b) >= 2; b = b[2:] {
			v += order.Uint16(b)
			order.PutUint16(b, v)
		}
	case 4:
		var v uint32
		for ; len(b) >= 4; b = b[4:] {
			v += order.Uint32(b)
			order.PutUint32(b, v)
		}
	case 8:
		var v uint64
		for ; len(b) >= 8; b = b[8:] {
			v += order.Uint64(b)
			order.PutUint64(b, v)
		}
	}
}

// int16s reads signed samples of whole metres.
func (m meaning) int16s(out []int16, b []byte, order binary.ByteOrder, size int) {
	for i := range out {
		v := int16(int8(b[i*size]))
		if size == 2 {
			v = int16(order.Uint16(b[2*i:]))
		}
		if m.hasNodata && float64(v) == m.nodata {
			v = void16
		}
		out[i] = land16(v)
	}
}

// float32s reads samples of any other kind.
func (m meaning) float32s(out []float32, b []byte, order binary.ByteOrder, l *layout) {
	nodata := m.nodata
	if l.format == 3 && l.bits == 32 {
		nodata = float64(float32(nodata)) // it was written with more digits than the samples
	}
	for i := range out {
		var v float64
		switch l.format*100 + l.bits {
		case 108:
			v = float64(b[i])
		case 208:
			v = float64(int8(b[i]))
		case 116:
			v = float64(order.Uint16(b[2*i:]))
		case 216:
			v = float64(int16(order.Uint16(b[2*i:])))
		case 132:
			v = float64(order.Uint32(b[4*i:]))
		case 232:
			v = float64(int32(order.Uint32(b[4*i:])))
		case 332:
			v = float64(math.Float32frombits(order.Uint32(b[4*i:])))
		case 364:
			v = math.Float64frombits(order.Uint64(b[8*i:]))
		}
		h := v*m.scale + m.offset
		if m.hasNodata && v == nodata || !(h >= lowest && h <= highest) {
			continue // the grid is void from the start
		}
		out[i] = float32(h)
	}
}
