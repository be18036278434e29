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

// blocks gives the blocks of an extract one by one, unpacked, each with a limit.
type blocks struct {
	r     io.Reader
	told  func(read int64)
	read  int64
	count int
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

// next is the next block of a kind that is read, "OSMHeader" first and then
// "OSMData"; io.EOF after the last.
func (g *blocks) next() (kind string, data []byte, err error) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(g.r, size[:]); err == io.EOF && g.count > 0 {
			return "", nil, io.EOF
		} else if err == io.EOF {
			return "", nil, pbfError("the file is empty")
		} else if err != nil {
			return "", nil, errCut(err)
		}
		n := binary.BigEndian.Uint32(size[:])
		if n >= maxHeader {
			return "", nil, pbfError("a block header of %d bytes: this is no PBF file", n)
		}
		head, err := g.take(int64(n))
		if err != nil {
			return "", nil, err
		}
		kind, length, err := blobHeader(head)
		if err != nil {
			return "", nil, err
		}
		blob, err := g.take(int64(length))
		if err != nil {
			return "", nil, err
		}
		g.read += 4 + int64(n) + int64(length)
		if g.told != nil {
			g.told(g.read)
		}
		first := g.count == 0
		g.count++
		switch {
		case first && kind != "OSMHeader":
			return "", nil, pbfError("does not begin with a header: this is no PBF file")
		case kind != "OSMData" && kind != "OSMHeader":
			continue // the format says that others are to be skipped
		case !first && kind == "OSMHeader":
			return "", nil, pbfError("a second header: join extracts with a program, not end to end")
		}
		data, err := unpack(blob)
		return kind, data, err
	}
}

// take reads n bytes; memory is taken as they come, not as they are promised.
func (g *blocks) take(n int64) ([]byte, error) {
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
