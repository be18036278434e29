package edge

import (
	"cmp"
	"slices"
)

// Saved is what an edge gave out of its store, by month and comune: bytes that
// did not cross the link when somebody asked for them.
type Saved struct {
	Months []SavedMonth `json:"months"` // the newest first
}

// SavedMonth is one month of one comune.
type SavedMonth struct {
	Month   string `json:"month"` // "2026-11"
	Comune  string `json:"comune"`
	Given   int64  `json:"given_bytes"`   // out of the store
	Fetched int64  `json:"fetched_bytes"` // over the link, ahead of time too
}

// keptMonths is how many months are remembered.
const keptMonths = 24

// Add counts bytes to a month of a comune.
func (s *Saved) Add(month, comune string, given, fetched int64) {
	i := slices.IndexFunc(s.Months, func(m SavedMonth) bool { return m.Month == month && m.Comune == comune })
	if i < 0 {
		s.Months = append(s.Months, SavedMonth{Month: month, Comune: comune})
		i = len(s.Months) - 1
	}
	s.Months[i].Given += given
	s.Months[i].Fetched += fetched
	slices.SortFunc(s.Months, func(a, b SavedMonth) int {
		return cmp.Or(cmp.Compare(b.Month, a.Month), cmp.Compare(a.Comune, b.Comune))
	})
	seen, last := 0, ""
	s.Months = slices.DeleteFunc(s.Months, func(m SavedMonth) bool {
		if m.Month != last {
			seen, last = seen+1, m.Month
		}
		return seen > keptMonths
	})
}

// Of is what was saved in a month, of all comuni.
func (s *Saved) Of(month string) (given, fetched int64) {
	for _, m := range s.Months {
		if m.Month == month {
			given, fetched = given+m.Given, fetched+m.Fetched
		}
	}
	return given, fetched
}

// LinkMinutes are the minutes for which bytes would fill a link of so many Mbps.
func LinkMinutes(bytes int64, mbps float64) float64 {
	if mbps <= 0 {
		return 0
	}
	return float64(bytes) * 8 / (mbps * 1e6) / 60
}
