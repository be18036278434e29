package network

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSummaryCountsAndNotes(t *testing.T) {
	n, err := Load(files(good))
	if err != nil {
		t.Fatal(err)
	}
	s := n.Summary()
	if s.Sites != 2 || s.Devices != 5 || s.Radios["wireless"] != 4 || s.Links[Radio] != 2 || s.Links[Fibre] != 1 || s.Partners[0].Links != 1 || s.Partners[0].Shared != 0 {
		t.Errorf("got %+v", s)
	}
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 sites, 1 seats (1 subscriber)", "5 devices, 4 of them radios (4 wireless)", "3 links (1 fibre, 2 radio)", "note: device casa-cpe has no address"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := n.WriteText(&b); err != nil || !strings.Contains(b.String(), "5600 MHz") || !strings.Contains(b.String(), "nord-est") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestSummaryNotesTooMuchPower(t *testing.T) {
	n, err := Load(files(strings.Replace(good, "tx_power_dbm: 4,", "tx_power_dbm: 12,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(n.Summary().Notes, "\n")
	if !strings.Contains(notes, "device nord-sud sends 35.0 dBm EIRP at 5600 MHz: ECC/DEC/(04)08 allows 27.0 dBm") {
		t.Errorf("got %s", notes)
	}
}

func TestViewHasNullsNotZeros(t *testing.T) {
	n, err := Load(files(good))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(n.View())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"azimuth_deg":null`, `"freq_mhz":5600`, `"partners":[]`, `"min_mbps":50`, `"min_mbps":30`, `"band_mhz":"5470-5725"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("want %s in\n%s", want, data)
		}
	}
	empty, err := json.Marshal((&Network{}).View())
	if err != nil || strings.Contains(string(empty), "null") {
		t.Errorf("an empty network: %s %v", empty, err)
	}
}
