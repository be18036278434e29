package roads

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"

	"github.com/crinale/crinale/internal/fault"
)

// Limits of the PBF format (wiki.openstreetmap.org/wiki/PBF_Format): a header
// of a block, and a block before and after it is unpacked.
const (
	maxHeader = 64 << 10
	maxBlock  = 32<<20 - 64
)

// guard stands before the reader of the library, which trusts what it reads
// and decodes in goroutines of its own where no panic can be caught. It unpacks
// each block with a limit, checks everything the decoder takes for granted,
// and passes the block on unpacked; so the C zlib that the library would use
// under cgo is never asked either.
type guard struct {
	r      io.Reader
	told   func(read int64)
	read   int64
	blocks int
	out    bytes.Reader
	err    error
}

func (g *guard) Read(p []byte) (int, error) {
	for g.out.Len() == 0 {
		if g.err == nil {
			g.err = g.next()
		}
		if g.err != nil {
			return 0, g.err
		}
	}
	return g.out.Read(p)
}

func pbfError(format string, args ...any) error {
	return fault.New(fault.Invalid, "OpenStreetMap PBF: "+format, args...)
}

// errCut is a file that ends in the middle.
func errCut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return pbfError("ends in the middle of a block: get the file again")
	}
	return err
}

// next reads blocks until there is one to pass on.
func (g *guard) next() error {
	for {
		var size [4]byte
		if _, err := io.ReadFull(g.r, size[:]); err == io.EOF && g.blocks > 0 {
			return io.EOF
		} else if err == io.EOF {
			return pbfError("the file is empty")
		} else if err != nil {
			return errCut(err)
		}
		n := binary.BigEndian.Uint32(size[:])
		if n >= maxHeader {
			return pbfError("a block header of %d bytes: this is no PBF file", n)
		}
		head, err := g.take(int64(n))
		if err != nil {
			return err
		}
		kind, length, err := blobHeader(head)
		if err != nil {
			return err
		}
		blob, err := g.take(int64(length))
		if err != nil {
			return err
		}
		g.read += 4 + int64(n) + int64(length)
		if g.told != nil {
			g.told(g.read)
		}
		first := g.blocks == 0
		g.blocks++
		switch {
		case first && kind != "OSMHeader":
			return pbfError("does not begin with a header: this is no PBF file")
		case kind != "OSMData" && kind != "OSMHeader":
			continue // the format says that others are to be skipped
		case !first && kind == "OSMHeader":
			return pbfError("a second header: join extracts with a program, not end to end")
		}
		data, err := unpack(blob)
		if err != nil {
			return err
		}
		if kind == "OSMData" {
			if err := checkBlock(data); err != nil {
				return err
			}
		}
		g.out.Reset(frame(kind, data))
		return nil
	}
}

// take reads n bytes; memory is taken as they come, not as they are promised.
func (g *guard) take(n int64) ([]byte, error) {
	var b bytes.Buffer
	got, err := b.ReadFrom(io.LimitReader(g.r, n))
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, errCut(err)
	}
	return b.Bytes(), nil
}

func blobHeader(b []byte) (kind string, length uint64, err error) {
	length = maxBlock + 1
	err = eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire == wireBytes:
			kind = string(f.bytes)
		case f.number == 3 && f.wire == wireVarint:
			length = f.value
		}
		return nil
	})
	if err == nil && (length > maxBlock || kind == "") {
		err = pbfError("a block of more than 32 MB or without a kind")
	}
	return kind, length, err
}

// unpack is the data of a blob.
func unpack(b []byte) ([]byte, error) {
	var raw, packed []byte
	size := uint64(0)
	var other, hasRaw, hasPacked bool
	err := eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire == wireBytes:
			raw, hasRaw = f.bytes, true
		case f.number == 2 && f.wire == wireVarint:
			size = f.value
		case f.number == 3 && f.wire == wireBytes:
			packed, hasPacked = f.bytes, true
		default:
			other = true
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case hasRaw:
		return raw, nil
	case !hasPacked && other:
		return nil, pbfError("packed by other means than zlib: write it anew with zlib (osmium cat -o FILE.osm.pbf)")
	case !hasPacked:
		return nil, pbfError("a block without data")
	case size > maxBlock:
		return nil, pbfError("a block that says it unpacks to %d bytes, more than 32 MB", size)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, pbfError("unpack a block: %w", err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(io.LimitReader(z, int64(size)+1)); err != nil {
		return nil, pbfError("unpack a block: %w", err)
	}
	if uint64(out.Len()) != size {
		return nil, pbfError("a block unpacks to another size than the %d bytes it says", size)
	}
	return out.Bytes(), nil
}

// frame is a block with its data not packed.
func frame(kind string, data []byte) []byte {
	blob := append(binary.AppendUvarint([]byte{1<<3 | wireBytes}, uint64(len(data))), data...)
	head := append(binary.AppendUvarint([]byte{1<<3 | wireBytes}, uint64(len(kind))), kind...)
	head = binary.AppendUvarint(append(head, 3<<3|wireVarint), uint64(len(blob)))
	out := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	return append(append(out, head...), blob...)
}
