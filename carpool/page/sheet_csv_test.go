package page

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestCSVHoldsNoFormula(t *testing.T) {
	rows := [][]string{{"Nome", "Telefono"}, {"=HYPERLINK(\"http://x\")", "+390173123456"}, {"  =1+1", "@SUM(A1)"}, {"-2+3", "residente 12; detto \"il lungo\""}, {"\t=1", "due\nrighe"}, {"＝1+1", "|cmd"}}
	var b strings.Builder
	if err := writeCSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\uFEFF")))
	r.Comma = ';'
	got, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"Nome", "Telefono"}, {"'=HYPERLINK(\"http://x\")", "'+390173123456"}, {"'  =1+1", "'@SUM(A1)"}, {"'-2+3", "residente 12; detto \"il lungo\""}, {"' =1", "due righe"}, {"'＝1+1", "'|cmd"}}
	for i := range want {
		for j := range want[i] {
			if got[i][j] != want[i][j] {
				t.Errorf("row %d cell %d: %q, want %q", i, j, got[i][j], want[i][j])
			}
		}
	}
}

func FuzzCSVCell(f *testing.F) {
	for _, seed := range []string{"=1", " +1", "\t@x", "plain", "", "\u00a0=1", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got := csvCell(v)
		if strings.ContainsAny(got, "\r\n\t") {
			t.Fatalf("%q has lines", got)
		}
		if at := strings.TrimLeft(got, " \u00a0"); at != "" && strings.ContainsRune("=+-@", rune(at[0])) {
			t.Fatalf("%q begins a formula", got)
		}
	})
}
