package store

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli guards what is written against flipped bits.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packer puts values one behind the other.
type packer struct{ b []byte }

func (p *packer) u8(v uint8)   { p.b = append(p.b, v) }
func (p *packer) u32(v uint32) { p.b = binary.LittleEndian.AppendUint32(p.b, v) }
func (p *packer) u64(v uint64) { p.b = binary.LittleEndian.AppendUint64(p.b, v) }
func (p *packer) raw(v []byte) { p.b = append(p.b, v...) }
func (p *packer) count(n int)  { p.b = binary.AppendUvarint(p.b, uint64(n)) }
func (p *packer) text(s string) {
	p.count(len(s))
	p.b = append(p.b, s...)
}

// sum puts the checksum of all behind its own place there.
func sum(b []byte, at int) {
	binary.LittleEndian.PutUint32(b[at:], crc32.Checksum(b[at+4:], castagnoli))
}

func sumHolds(b []byte, at int) bool {
	return len(b) >= at+4 && binary.LittleEndian.Uint32(b[at:]) == crc32.Checksum(b[at+4:], castagnoli)
}

// unpacker takes them apart. Of what is too short it gives zeros, and is bad
// from then on.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) raw(n int) []byte {
	if u.bad || n < 0 || n > len(u.b) {
		u.bad = true
		return nil
	}
	out := u.b[:n:n]
	u.b = u.b[n:]
	return out
}

func (u *unpacker) u8() uint8 {
	if b := u.raw(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unpacker) u32() uint32 {
	if b := u.raw(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (u *unpacker) u64() uint64 {
	if b := u.raw(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads how many things of at least so many bytes follow; more than there
// is room for is bad, so that nobody makes room for what is not there.
func (u *unpacker) count(least int) int {
	n, k := binary.Uvarint(u.b)
	if u.bad || k <= 0 || n > uint64(len(u.b)-k)/uint64(max(least, 1)) {
		u.bad = true
		return 0
	}
	u.b = u.b[k:]
	return int(n)
}

func (u *unpacker) text() string { return string(u.raw(u.count(1))) }

// end says whether all was there, and no more.
func (u *unpacker) end() bool { return !u.bad && len(u.b) == 0 }
