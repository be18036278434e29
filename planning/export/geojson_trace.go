package export

// corner is a corner of cells: corner (0, 0) is the north-west one of cell
// (0, 0).
type corner struct{ col, row int32 }

// ring is a closed line along cell edges, its corners only, the last joined to
// the first.
type ring []corner

// trace gives the polygons of every class from 0 to n-1: for each the outer
// ring first, counter-clockwise seen with north up, then its holes, clockwise.
// Cells joined by an edge are one polygon; cells that only touch at a corner
// are two, unless they are joined elsewhere. No ring touches itself, so that
// the polygons are valid by OGC's rules. Marks under 0 belong to none.
func trace(marks []int8, cols, rows, n int) [][][]ring {
	t := &tracer{marks: marks, cols: int32(cols), rows: int32(rows), part: parts(marks, cols, rows)}
	t.done = make([]bool, len(marks)) // southern edges of a cell already walked
	polygon := map[int32]int{}        // by part
	out := make([][][]ring, n)
	// The first cell of a part, row by row from the south, has a free southern
	// edge on the outer ring: walking it first makes the outer ring the first.
	for row := t.rows - 1; row >= 0; row-- {
		for col := range t.cols {
			i := row*t.cols + col
			k := marks[i]
			if k < 0 || int(k) >= n || t.done[i] || t.partAt(col, row+1) == t.part[i] {
				continue
			}
			r := t.walk(col, row)
			at, seen := polygon[t.part[i]]
			if !seen {
				at = len(out[k])
				polygon[t.part[i]] = at
				out[k] = append(out[k], nil)
			}
			out[k][at] = append(out[k][at], r)
		}
	}
	return out
}

type tracer struct {
	marks      []int8
	cols, rows int32
	part       []int32
	done       []bool
}

// partAt is the part of a cell; -1 outside.
func (t *tracer) partAt(col, row int32) int32 {
	if col < 0 || row < 0 || col >= t.cols || row >= t.rows {
		return -1
	}
	return t.part[row*t.cols+col]
}

// Directions along edges; a left turn is the next one.
const (
	east = iota
	north
	west
	south
)

var (
	stepCol = [4]int32{1, 0, -1, 0}
	stepRow = [4]int32{0, -1, 0, 1}
	// The cells ahead of a corner, on the left and on the right of the way, as
	// offsets from the corner to the cell's index.
	leftCol  = [4]int32{0, -1, -1, 0}
	leftRow  = [4]int32{-1, -1, 0, 0}
	rightCol = [4]int32{0, 0, -1, -1}
	rightRow = [4]int32{0, -1, -1, 0}
)

// walk goes around a part with its cells on the left, beginning eastward along
// the southern edge of a cell.
func (t *tracer) walk(col, row int32) ring {
	me := t.part[row*t.cols+col]
	start := corner{col, row + 1}
	at, dir := start, east
	r := ring{start}
	for {
		if dir == east {
			t.done[(at.row-1)*t.cols+at.col] = true
		}
		at.col += stepCol[dir]
		at.row += stepRow[dir]
		left := t.partAt(at.col+leftCol[dir], at.row+leftRow[dir]) == me
		right := t.partAt(at.col+rightCol[dir], at.row+rightRow[dir]) == me
		turn := dir
		switch {
		case right: // a bay, or the same part again across the corner
			turn = (dir + 3) % 4
		case !left:
			turn = (dir + 1) % 4
		}
		if at == start && turn == east {
			break
		}
		if turn != dir {
			r = append(r, at)
			dir = turn
		}
	}
	// The start is a corner only where the way came from another direction.
	if last := r[len(r)-1]; last.row == start.row && len(r) > 1 && r[1].row == start.row {
		r = r[1:]
	}
	return r
}

// parts numbers the cells so that cells of one class joined by edges have one
// number, and all others another.
func parts(marks []int8, cols, rows int) []int32 {
	up := make([]int32, len(marks)) // a forest: each cell points toward its part
	root := func(i int32) int32 {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	for i := range up {
		up[i] = int32(i)
		if i%cols > 0 && marks[i-1] == marks[i] {
			up[i] = root(int32(i - 1))
		}
		if i >= cols && marks[i-cols] == marks[i] {
			a, b := root(int32(i)), root(int32(i-cols))
			up[max(a, b)] = min(a, b)
		}
	}
	for i := range up {
		up[i] = root(int32(i))
	}
	return up
}
