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

// blockCheck holds a primitive block against what its decoder takes for
// granted: every string is in the table, lists that go together are as long as
// each other, and no list comes twice.
type blockCheck struct{ strings uint64 }

func checkBlock(b []byte) error {
	var c blockCheck
	tables := 0
	err := eachField(b, func(f field) error {
		if f.number != 1 {
			return nil
		}
		tables++
		if f.wire != wireBytes || tables > 1 {
			return pbfError("more than one table of strings in a block")
		}
		return eachField(f.bytes, func(s field) error {
			if s.number == 1 && s.wire == wireBytes {
				c.strings++
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return eachField(b, func(f field) error {
		switch f.number {
		case 2:
			if f.wire != wireBytes {
				return pbfError("a broken group")
			}
			return eachField(f.bytes, c.member)
		case 17, 18, 19, 20:
			if f.wire != wireVarint {
				return pbfError("a broken granularity or offset")
			}
		}
		return nil
	})
}

// member is a way, or all nodes of a group. Relations are never decoded.
func (c *blockCheck) member(f field) error {
	switch {
	case f.number == 1:
		return pbfError("nodes that are not dense: write it anew (osmium cat -o FILE.osm.pbf)")
	case f.number > 1 && f.number <= 4 && f.wire != wireBytes:
		return pbfError("a broken group")
	case f.number == 2:
		return c.dense(f.bytes)
	case f.number == 3:
		return c.way(f.bytes)
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

func (l lists) count(k uint64) (int, error) { return eachNumber(l[k], nil) }

// sameLength checks that those lists that are there have n numbers.
func (l lists) sameLength(n int, of ...uint64) error {
	for _, k := range of {
		if _, ok := l[k]; !ok {
			continue
		}
		if got, err := l.count(k); err != nil {
			return err
		} else if got != n {
			return pbfError("lists that go together are not as long as each other")
		}
	}
	return nil
}

func (c *blockCheck) inTable(v uint64) error {
	if v >= c.strings {
		return pbfError("a string that is not in the table")
	}
	return nil
}

func (c *blockCheck) dense(b []byte) error {
	l, info := lists{}, lists{}
	err := eachField(b, func(f field) error {
		if f.number == 5 && f.wire == wireBytes {
			return eachField(f.bytes, func(f field) error { return info.take(f, 1, 2, 3, 4, 5, 6) })
		}
		return l.take(f, 1, 5, 8, 9, 10)
	})
	if err != nil {
		return err
	}
	n, err := l.count(1)
	if err != nil {
		return err
	}
	if err := l.sameLength(n, 8, 9); err != nil {
		return err
	}
	if err := info.sameLength(n, 1, 2, 3, 4, 5, 6); err != nil {
		return err
	}
	user := int64(0)
	if _, err := eachNumber(info[5], func(v uint64) error {
		if v > 1<<32-1 {
			return pbfError("a user that is not in the table")
		}
		user += zigzag(v)
		return c.inTable(uint64(user))
	}); err != nil {
		return err
	}
	return c.tagsOfNodes(l, n)
}

// tagsOfNodes checks keys and values by turns, each node's closed by 0.
func (c *blockCheck) tagsOfNodes(l lists, nodes int) error {
	tags, ok := l[10]
	if !ok {
		return nil
	}
	ends, value := 0, false
	if _, err := eachNumber(tags, func(v uint64) error {
		if v == 0 && !value {
			ends++
			return nil
		}
		value = !value
		return c.inTable(v)
	}); err != nil {
		return err
	}
	if ends != nodes || value {
		return pbfError("tags of nodes that do not end")
	}
	return nil
}

func (c *blockCheck) way(b []byte) error {
	l := lists{}
	err := eachField(b, func(f field) error {
		switch {
		case f.number == 1 && f.wire != wireVarint:
			return pbfError("a way with a broken number")
		case f.number == 4 && f.wire == wireBytes:
			return eachField(f.bytes, func(f field) error {
				switch {
				case f.number <= 6 && f.wire != wireVarint:
					return pbfError("a way with a broken description")
				case f.number == 5:
					return c.inTable(f.value)
				}
				return nil
			})
		}
		return l.take(f, 2, 3, 4, 8, 9, 10)
	})
	if err != nil {
		return err
	}
	for _, k := range []uint64{2, 3} {
		if _, err := eachNumber(l[k], c.inTable); err != nil {
			return err
		}
	}
	keys, err := l.count(2)
	if err != nil {
		return err
	}
	if err := l.sameLength(keys, 2, 3); err != nil {
		return err
	}
	refs, err := l.count(8)
	if err != nil {
		return err
	}
	return l.sameLength(refs, 8, 9, 10)
}
