package store

import (
	"slices"

	"github.com/crinale/crinale/edge"
)

// pieces are those of what the draft goes on from with its own: in order, none
// over another, and in each chunk's place one for each run of bytes, so that a
// chunk that has become whole is the same as that of an answer that came whole.
func (d *draft) pieces() ([]piece, error) {
	if d.from == nil {
		return slices.Clone(d.made), nil
	}
	cells := map[int64][]piece{} // by the chunk's place, what is newer behind
	var order []int64
	for _, p := range slices.Concat(d.from.pieces, d.made) {
		at := p.first / d.s.chunk
		if _, ok := cells[at]; !ok {
			order = append(order, at)
		}
		cells[at] = append(cells[at], p)
	}
	slices.Sort(order)
	var out []piece
	for _, at := range order {
		all := cells[at]
		last := all[len(all)-1]
		if !slices.ContainsFunc(all, func(p piece) bool { return p.first < last.first || p.end() > last.end() }) {
			out = append(out, last) // it covers the others
			continue
		}
		joined, err := d.join(at, all)
		if err != nil {
			return nil, err
		}
		out = append(out, joined...)
	}
	return out, nil
}

// join writes the pieces of one chunk's place as one for each run.
func (d *draft) join(at int64, all []piece) ([]piece, error) {
	c, first := &d.s.chunks, at*d.s.chunk
	buf := make([]byte, d.s.chunk)
	var spans []edge.Span
	for _, p := range all {
		b, err := c.content(d.l, p)
		if err != nil {
			if slices.Contains(d.from.pieces, p) {
				return nil, d.s.damaged(d.from, err)
			}
			return nil, err
		}
		copy(buf[p.first-first:], b)
		spans = append(spans, edge.Span{First: p.first, Length: p.length})
	}
	var out []piece
	for _, run := range edge.Joined(spans) {
		content := buf[run.First-first : run.End()-first]
		p := piece{first: run.First, length: run.Length, name: d.l.chunk(content)}
		if !c.hold(short(p.name), p.length) {
			if err := c.write(d.l, p.name, content); err != nil {
				d.s.released([]piece{p}, d.l != nil)
				return nil, d.s.writeFault(err)
			}
			c.judge(p.name, true)
			d.fresh = append(d.fresh, c.path(p.name, d.l != nil))
		}
		d.merged = append(d.merged, p)
		out = append(out, p)
	}
	return out, nil
}
