package export

import (
	"testing"

	"pgregory.net/rapid"
)

// area2 is twice the area within a ring in cells, positive when it runs
// counter-clockwise with north up.
func (r ring) area2() int {
	sum := 0
	for i, a := range r {
		b := r[(i+1)%len(r)]
		sum += int(a.row)*int(b.col) - int(a.col)*int(b.row)
	}
	return sum
}

// holds says whether the middle of a cell is within the ring, by crossings of
// a line to the east.
func (r ring) holds(col, row int) bool {
	in := false
	for i, a := range r {
		b := r[(i+1)%len(r)]
		if a.col == b.col && int(a.col) > col && min(a.row, b.row) <= int32(row) && int32(row) < max(a.row, b.row) {
			in = !in
		}
	}
	return in
}

func checkTrace(t rapid.TB, marks []int8, cols, rows int) {
	const n = 3
	covered := make([]int, len(marks))
	for class, polygons := range trace(marks, cols, rows, n) {
		for _, rings := range polygons {
			cells, enclosed := 0, 0
			for i := range marks {
				in := true
				for j, r := range rings {
					in = in && r.holds(i%cols, i/cols) == (j == 0)
				}
				if in {
					covered[i]++
					cells++
					if int(marks[i]) != class {
						t.Fatalf("cell %d of class %d is in a polygon of class %d", i, marks[i], class)
					}
				}
			}
			for j, r := range rings {
				a := r.area2()
				if (a > 0) != (j == 0) || a == 0 {
					t.Fatalf("ring %d has area %d/2", j, a)
				}
				enclosed += a
				seen := map[corner]bool{}
				for k, c := range r {
					if seen[c] {
						t.Fatalf("ring %d touches itself at %v", j, c)
					}
					seen[c] = true
					next, last := r[(k+1)%len(r)], r[(k+len(r)-1)%len(r)]
					if (c.col == next.col) == (c.row == next.row) || (c.col == next.col) == (c.col == last.col) {
						t.Fatalf("ring %d: %v is no corner between %v and %v", j, c, last, next)
					}
				}
			}
			if enclosed != 2*cells {
				t.Fatalf("%d cells, rings enclose %d/2", cells, enclosed)
			}
		}
	}
	for i, m := range marks {
		if want := 1; m < 0 {
			if covered[i] != 0 {
				t.Fatalf("cell %d belongs to no class and is in %d polygons", i, covered[i])
			}
		} else if covered[i] != want {
			t.Fatalf("cell %d is in %d polygons", i, covered[i])
		}
	}
}

func TestTraceAnyGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols, rows := rapid.IntRange(1, 9).Draw(t, "cols"), rapid.IntRange(1, 9).Draw(t, "rows")
		marks := make([]int8, cols*rows)
		for i := range marks {
			marks[i] = int8(rapid.IntRange(-1, 1).Draw(t, "mark"))
		}
		checkTrace(t, marks, cols, rows)
	})
}

func TestTraceKnown(t *testing.T) {
	for _, c := range []struct {
		name     string
		cols     int
		marks    string // digits are classes, dots none
		polygons int
		rings    int
	}{
		{"a ring with a hole", 3, "111" + "1.1" + "111", 1, 2},
		{"two cells at a corner", 2, "1." + ".1", 2, 2},
		{"a ring closed at a corner", 3, "11." + "1.1" + "111", 1, 2},
		{"an island in a lake", 5, "11111" + "1...1" + "1.1.1" + "1...1" + "11111", 2, 3},
		{"nothing", 2, "....", 0, 0},
	} {
		marks := make([]int8, len(c.marks))
		for i, b := range c.marks {
			marks[i] = -1
			if b != '.' {
				marks[i] = int8(b - '0')
			}
		}
		checkTrace(t, marks, c.cols, len(marks)/c.cols)
		got, rings := trace(marks, c.cols, len(marks)/c.cols, 3)[1], 0
		for _, p := range got {
			rings += len(p)
		}
		if len(got) != c.polygons || rings != c.rings {
			t.Errorf("%s: %d polygons of %d rings, want %d of %d: %v", c.name, len(got), rings, c.polygons, c.rings, got)
		}
	}
}
