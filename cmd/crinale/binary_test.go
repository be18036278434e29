package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// maxBinary is what the shipped program may weigh.
const maxBinary = 50 << 20 // docs/adr/0015-fifty-megabytes.md

func TestBinaryIsStaticAndSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary: %.1f MB of %d MB", float64(st.Size())/(1<<20), maxBinary>>20)
	if st.Size() > maxBinary {
		t.Errorf("the binary weighs %d bytes, more than %d", st.Size(), maxBinary)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: no ELF file: %v", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is linked dynamically: it has a %v", p.Type)
		}
	}
}

// TestNoC: no package of the shipped program has C in it, whatever cgo would
// be able to build.
func TestNoC(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}} {{.Standard}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if s := strings.TrimSpace(string(out)); s != "" {
		t.Errorf("packages with C: %s", s)
	}
}
