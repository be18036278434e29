package planning_test

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// rows reads a CSV with a header into maps.
func rows(t *testing.T, path string, skip int) []map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(b)))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, rec := range all[1+skip:] {
		m := map[string]string{}
		for i, k := range all[0] {
			if i < len(rec) {
				m[strings.TrimSpace(k)] = strings.TrimSpace(rec[i])
			}
		}
		out = append(out, m)
	}
	return out
}

func num(t *testing.T, m map[string]string, key string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(m[key], 64)
	if err != nil {
		t.Fatalf("column %q: %v", key, err)
	}
	return v
}

// readProfile reads "km metres …" lines, separated by blanks or commas.
func readProfile(t *testing.T, path string) *planning.Profile {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &planning.Profile{}
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.FieldsFunc(s.Text(), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		if len(w) < 2 {
			continue
		}
		d, err1 := strconv.ParseFloat(w[0], 64)
		h, err2 := strconv.ParseFloat(w[1], 64)
		if err1 != nil || err2 != nil {
			continue // header
		}
		p.D, p.H = append(p.D, d*1000), append(p.H, h)
	}
	return p
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.6f, want %.6f ± %g", what, got, want, tol)
	}
}

// The official delta-Bullington examples of ITU-R Study Group 3, under the
// settings of their SOURCE.md.
func TestDeltaBullingtonOfficial(t *testing.T) {
	dir := testdata.Shared(t, "validation/eeveetza-p452/delta_bullington")
	cases := rows(t, filepath.Join(dir, "cases.csv"), 0)
	if len(cases) != 14 {
		t.Fatalf("%d cases, want 14", len(cases))
	}
	for i, c := range cases {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			p := readProfile(t, filepath.Join(dir, "profile"+c["profile"]+".dat"))
			w := planning.Wave{Freq: unit.MHz(1000 * num(t, c, "f_GHz")), K: 8500e3 / 6371e3, Polarisation: planning.Horizontal}
			hA, hB := p.H[0]+num(t, c, "htg_m"), p.H[len(p.H)-1]+num(t, c, "hrg_m")
			got := p.Diffract(hA, hB, w)
			near(t, "Lbulla", float64(got.Bullington), num(t, c, "Lbulla_dB"), 0.01)
			near(t, "Ldsph", float64(got.Spherical), num(t, c, "Ldsph_dB"), 0.01)
			near(t, "Ld", float64(got.Loss), num(t, c, "Ld_dB"), 0.01)
			if got.Spherical > 0 {
				near(t, "Lbulls", float64(got.Smooth), num(t, c, "Lbulls_dB"), 0.01)
			}
		})
	}
}

// Every land row without ground cover of the P.452-18 validation set: its
// median diffraction loss Ld50 and spherical part are ours.
func TestDiffractionAgainstP452(t *testing.T) {
	dir := testdata.Shared(t, "validation/eeveetza-p452")
	files, err := filepath.Glob(filepath.Join(dir, "results", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no results", err)
	}
	tested := 0
	for _, file := range files {
		name := strings.TrimPrefix(filepath.Base(file), "test_result_")
		path := filepath.Join(dir, "profiles", "test_profile_"+name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !landWithoutCover(string(b)) {
			continue
		}
		p := readProfile(t, path)
		for i, c := range rows(t, file, 0) {
			w := planning.Wave{Freq: unit.MHz(1000 * num(t, c, "f (GHz)")), K: num(t, c, "ae") / 6371, Polarisation: planning.Vertical}
			if c["pol (1-h/2-v)"] == "1" {
				w.Polarisation = planning.Horizontal
			}
			hA, hB := num(t, c, "hts"), num(t, c, "hrs")
			got := p.Diffract(hA, hB, w)
			near(t, fmt.Sprintf("%s row %d: Ld50", name, i+1), float64(got.Loss), num(t, c, "Ld50"), 1e-4)
			tested++
		}
	}
	if tested < 35 {
		t.Fatalf("only %d rows tested", tested)
	}
	t.Logf("%d rows", tested)
}

func landWithoutCover(s string) bool {
	for i, line := range strings.Split(strings.TrimSpace(s), "\n") {
		w := strings.Split(strings.TrimSpace(line), ",")
		if i > 0 && (len(w) < 4 || w[2] != "0" || w[3] == "B") {
			return false
		}
	}
	return true
}

// randomProfile is hilly ground of 0.2 to 40 km.
func randomProfile(t *rapid.T) *planning.Profile {
	n := rapid.IntRange(8, 200).Draw(t, "n")
	L := rapid.Float64Range(200, 40000).Draw(t, "length")
	p := &planning.Profile{}
	for i := 0; i <= n; i++ {
		p.D = append(p.D, L*float64(i)/float64(n))
		p.H = append(p.H, rapid.Float64Range(0, 900).Draw(t, "h"))
	}
	return p
}

func reversed(p *planning.Profile) *planning.Profile {
	L, q := p.Length(), &planning.Profile{}
	for i := len(p.D) - 1; i >= 0; i-- {
		q.D, q.H = append(q.D, L-p.D[i]), append(q.H, p.H[i])
	}
	return q
}

func TestDiffractionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProfile(t)
		a := p.H[0] + rapid.Float64Range(0.5, 60).Draw(t, "a")
		b := p.H[len(p.H)-1] + rapid.Float64Range(0.5, 60).Draw(t, "b")
		w := planning.Wave{
			Freq:         unit.MHz(rapid.Float64Range(400, 70000).Draw(t, "MHz")),
			K:            rapid.Float64Range(0.5, 4).Draw(t, "k"),
			Polarisation: rapid.SampledFrom([]planning.Polarisation{planning.Vertical, planning.Horizontal}).Draw(t, "pol"),
		}
		there := p.Diffract(a, b, w)
		back := reversed(p).Diffract(b, a, w)
		if math.Abs(float64(there.Loss-back.Loss)) > 1e-6*(1+float64(there.Loss)) {
			t.Fatalf("not reciprocal: %v there, %v back", there, back)
		}
		if !(there.Loss >= 0) || math.IsInf(float64(there.Loss), 0) {
			t.Fatalf("loss %v", there)
		}
		// A blocked ray loses at least what an edge that grazes it does.
		c := p.Clear(a, b, w)
		if c.Zones < 0 && there.Loss < 6 {
			t.Fatalf("blocked by %.1f zones, yet only %v", c.Zones, there)
		}
		if c.Zones > 0.6 && there.Bullington != 0 {
			t.Fatalf("clear by %.2f zones, yet %v", c.Zones, there)
		}
		// The mast it asks for is enough.
		ma, mb := p.MastFor(a, b, 0.6, w)
		if z := p.Clear(p.H[0]+float64(ma), b, w).Zones; z < 0.6-1e-6 {
			t.Fatalf("mast at A of %v clears only %.3f", ma, z)
		}
		if z := p.Clear(a, p.H[len(p.H)-1]+float64(mb), w).Zones; z < 0.6-1e-6 {
			t.Fatalf("mast at B of %v clears only %.3f", mb, z)
		}
	})
}
