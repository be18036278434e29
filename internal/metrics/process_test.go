package metrics

import "testing"

func TestProcessFilesOfLinux(t *testing.T) {
	line := "12 (a) b (c) S 1 1 1 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 9 0 5000 1000000 321 18446744073709551615 1"
	if s, ok := parseStat([]byte(line), 4096); !ok || s.cpu != 4 || s.resident != 321*4096 {
		t.Errorf("%+v %v", s, ok)
	}
	for _, bad := range []string{"", "12 (a", "12 (a) S 1", "12 (a) S 1 1 1 0 -1 4194304 100 0 0 0 x 150 0 0 20 0 9 0 5000 1000000 321"} {
		if _, ok := parseStat([]byte(bad), 4096); ok {
			t.Errorf("%q: taken", bad)
		}
	}
	if n, ok := maxFiles([]byte("Limit  Soft Limit\nMax open files            1024                 4096  files\n")); !ok || n != 1024 {
		t.Errorf("%v %v", n, ok)
	}
	for _, bad := range []string{"", "Max open files", "Max open files unlimited unlimited files"} {
		if _, ok := maxFiles([]byte(bad)); ok {
			t.Errorf("%q: taken", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("12 (a) b (c) S 1 1 1 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 9 0 5000 1000000 321 1"))
	f.Add([]byte("Max open files 1024 4096 files"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, ok := parseStat(text, 4096); ok && (s.cpu < 0 || s.resident < 0) {
			t.Errorf("%q: %+v", text, s)
		}
		if n, ok := maxFiles(text); ok && n < 0 {
			t.Errorf("%q: %v", text, n)
		}
	})
}
