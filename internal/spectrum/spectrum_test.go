package spectrum

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		f           unit.MHz
		use         Use
		eirp, noTPC unit.DBm
	}{
		{5600, RLAN, 30, 27},
		{5470, RLAN, 30, 27},
		{5725, RLAN, 30, 27},
		{5800, BFWA, 36, 36},
		{5800, Mesh, 33, 33},
		{5800, SRD, 13.98, 13.98},
		{5180, RLAN, 23, 23},
		{2437, RLAN, 20, 20},
		{58320, RLAN, 40, 40},
		{58320, W60Fix, 55, 55},
		{60480, Fixed, 55, 55},
	} {
		r, err := Lookup(c.f, c.use)
		if err != nil || r.MaxEIRP != c.eirp || r.MaxEIRPNoTPC != c.noTPC {
			t.Errorf("%v as %s: %+v %v", c.f, c.use, r, err)
		}
	}
	for _, c := range []struct {
		f   unit.MHz
		use Use
	}{{5400, RLAN}, {5800, RLAN}, {5600, BFWA}, {0, RLAN}, {-1, RLAN}, {unit.MHz(math.NaN()), RLAN}, {5600, ""}, {5600, "anything"}} {
		if r, err := Lookup(c.f, c.use); err == nil {
			t.Errorf("%v as %q has the rule %+v", c.f, c.use, r)
		}
	}
}

// An error says what may be done instead, and never points at the source.
func TestLookupNamesWhatExists(t *testing.T) {
	for _, c := range []struct {
		f    unit.MHz
		use  Use
		want string
	}{
		{5800, RLAN, `no rule for 5800 MHz as "rlan": there it is bfwa, mesh or srd (--use on the command line, use: in a sector); as "rlan": 2400 to 2483.5, 5150 to 5250, 5250 to 5350, 5470 to 5725, 5945 to 6425, 17100 to 17300, 57000 to 71000 MHz`},
		{5600, BFWA, `no rule for 5600 MHz as "bfwa": there it is rlan (--use on the command line, use: in a sector); as "bfwa": 5725 to 5875 MHz`},
		{3500, SRD, `no rule for 3500 MHz as "srd": no use is known there; as "srd": 5725 to 5875, 24000 to 24250 MHz`},
		{3500, "radio", `no rule for 3500 MHz as "radio": no use is known there; the uses known are rlan, bfwa, mesh, srd, w60-fix or fixed`},
	} {
		if _, err := Lookup(c.f, c.use); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestRulesHoldTogether(t *testing.T) {
	for i, r := range Rules() {
		if r.From <= 0 || r.To <= r.From || r.MaxEIRPNoTPC > r.MaxEIRP || r.Source == "" || r.Conditions == "" {
			t.Errorf("row %d: %+v", i, r)
		}
		if !r.TPC && r.MaxEIRPNoTPC != r.MaxEIRP {
			t.Errorf("row %d has two limits and no power control", i)
		}
		if strings.Contains(r.Source, "not read") && r.Verified {
			t.Errorf("row %d: verified, but its source was not read", i)
		}
		for j, o := range Rules()[:i] {
			if o.Use == r.Use && o.From < r.To && r.From < o.To {
				t.Errorf("rows %d and %d overlap for %s: a look-up would depend on the order", j, i, r.Use)
			}
		}
	}
	Rules()[0].From = -1
	if Rules()[0].From == -1 {
		t.Error("a caller can change the law")
	}
}

// Every limit is one of the shared table, whose rows name their sources.
func TestLimitsAreThoseOfTheSharedTable(t *testing.T) {
	f, err := os.Open(testdata.Shared(t, "data/regulatory/it_etsi_limits.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ from, to, eirp float64 }
	table := map[key][]string{}
	for _, r := range rows[1:] {
		var k key
		for col, p := range map[int]*float64{0: &k.from, 1: &k.to, 3: &k.eirp} {
			if *p, err = strconv.ParseFloat(r[col], 64); err != nil {
				t.Fatal(err)
			}
		}
		table[k] = r
	}
	for i, r := range Rules() {
		row, ok := table[key{float64(r.From), float64(r.To), float64(r.MaxEIRP)}]
		if !ok {
			t.Errorf("row %d (%v to %v, %v) is not in the shared table", i, r.From, r.To, r.MaxEIRP)
			continue
		}
		if d, known := r.MaxDensity.Get(); known && row[4] != strconv.FormatFloat(float64(d), 'f', -1, 64) {
			t.Errorf("row %d: density %v, in the table %s", i, d, row[4])
		}
		if r.Verified && strings.Contains(row[9], "unverified") {
			t.Errorf("row %d is verified here, in the table %q", i, row[9])
		}
	}
}
