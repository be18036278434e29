package roads

import "encoding/binary"

// The wire types of Protocol Buffers that OpenStreetMap's format has.
const (
	wireVarint = 0
	wireEight  = 1
	wireBytes  = 2
	wireFour   = 5
)

// field is one field of a message.
type field struct {
	number uint64
	wire   uint64
	value  uint64 // of a varint
	bytes  []byte // of bytes
}

// eachField calls f with the fields of a message in order.
func eachField(b []byte, f func(field) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
			return pbfError("a broken message")
		}
		b = b[n:]
		v := field{number: key >> 3, wire: key & 7}
		size := 0
		switch v.wire {
		case wireVarint:
			if v.value, size = binary.Uvarint(b); size <= 0 {
				return pbfError("a broken number")
			}
		case wireEight:
			size = 8
		case wireFour:
			size = 4
		case wireBytes:
			l, n := binary.Uvarint(b)
			if n <= 0 || l > uint64(len(b)-n) {
				return pbfError("a field longer than its message")
			}
			b = b[n:]
			size = int(l)
			v.bytes = b[:size]
		default:
			return pbfError("a field of an unknown type")
		}
		if size > len(b) {
			return pbfError("a field longer than its message")
		}
		b = b[size:]
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// eachNumber calls f with the numbers of a packed field and counts them.
func eachNumber(b []byte, f func(uint64) error) (int, error) {
	count := 0
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return count, pbfError("a broken number")
		}
		b = b[n:]
		count++
		if f == nil {
			continue
		}
		if err := f(v); err != nil {
			return count, err
		}
	}
	return count, nil
}

// zigzag is a signed number.
func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
