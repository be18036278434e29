package edge

import (
	"fmt"
	"testing"
)

func TestSaved(t *testing.T) {
	var s Saved
	for i := range 30 {
		month := fmt.Sprintf("%d-%02d", 2025+i/12, i%12+1)
		s.Add(month, "004021", 100, 10)
		s.Add(month, "004073", 5, 1)
		s.Add(month, "004021", 1, 0)
	}
	if len(s.Months) != 2*keptMonths || s.Months[0] != (SavedMonth{"2027-06", "004021", 101, 10}) || s.Months[1].Comune != "004073" || s.Months[len(s.Months)-1].Month != "2025-07" {
		t.Errorf("%d months: %+v", len(s.Months), s.Months)
	}
	if g, f := s.Of("2027-06"); g != 106 || f != 11 {
		t.Errorf("%d, %d", g, f)
	}
	if g, f := s.Of("2020-01"); g != 0 || f != 0 {
		t.Errorf("%d, %d", g, f)
	}
	if m := LinkMinutes(225_000_000, 30); m != 1 {
		t.Errorf("225 MB at 30 Mbps are %v minutes", m)
	}
	if LinkMinutes(1, 0) != 0 {
		t.Error("a link of nothing")
	}
}
