package network

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
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
	for _, want := range []string{"2 sites, 1 seat (1 subscriber)", "5 devices, 4 of them radios (4 wireless)", "3 links (1 fibre, 2 radio), 1 sector, 3 gear sheets", "partner langanet: 1 link, 0 of them shared", "note: device casa-cpe has no address"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := n.WriteText(&b); err != nil || !strings.Contains(b.String(), "5600 MHz") || !strings.Contains(b.String(), "nord-est") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// long is the good network with names as long as they may be, many partners
// and a site of which nothing is known.
func long(t *testing.T) *Network {
	t.Helper()
	n, err := Load(files(good))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n.Sites {
		n.Sites[i].Shared = []PartnerID{"langanet", "bormidalink", "collinawave", PartnerID(strings.Repeat("x", 63))}
	}
	n.Sites[1].Power = Power{}
	n.Devices[0].ID = DeviceID(strings.Repeat("d", 63))
	n.Devices[0].Address = strings.Repeat("host.", 40) + "example:8728"
	n.Devices[1].Site = SiteID(strings.Repeat("s", 63))
	n.Devices[2].ID = "santo-stefano-to-hall-santo-stefano-belbo"
	n.Links[0] = Link{ID: LinkID(strings.Repeat("l", 63)), Medium: Radio, A: n.Devices[0].ID, B: "hall-santo-stefano-belbo-to-santo-stefano",
		Partner: []PartnerID{"langanet", "bormidalink", "collinawave"}}
	n.Devices = append(n.Devices, Device{ID: "casa-cpe-2", Gear: GearID(strings.Repeat("g", 63)), Seat: "casa"})
	return n
}

func TestTextFitsATerminal(t *testing.T) {
	n := long(t)
	sheet := n.Gear["dish"]
	sheet.Antenna.Pattern = "dish.csv"
	n.Gear["dish"] = sheet
	var b strings.Builder
	if err := n.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if err := n.Summary().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if utf8.RuneCountInString(line) > 80 || strings.TrimRight(line, " ") != line {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
	for _, want := range []string{
		"langanet, bormidalink, collinawave",
		"  44.500000,8.100000, 12.0 m high, power both, battery for 36 h\n",
		"  44.450000,8.100000, power -\n",
		"  dish, no address, 5600 MHz, 20 MHz wide\n", "  router, no address\n",
		"santo-stefano-to-hall-santo-stefano-belbo     nord\n",
		"nord-est  nord-ap\n  rlan, 5470-5725 MHz\n",
		"  fibre: nord-gw\n",
		"note: pattern file of dish is not read yet: the pattern comes from the\n  beamwidths\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q", want)
		}
	}
	if t.Failed() {
		t.Logf("\n%s", b.String())
	}
	b.Reset()
	if err := (&Network{}).WriteText(&b); err != nil || b.String() != "" {
		t.Errorf("an empty network: %q %v", b.String(), err)
	}
}

func TestSummaryCountsOnes(t *testing.T) {
	s := Summary{Sites: 1, Devices: 1, Seats: map[string]int{"school": 1}, Radios: map[string]int{"wireless": 1}, Links: map[Medium]int{Radio: 1}, Sectors: 1, Gear: 1}
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "1 site, 1 seat (1 school)\n1 device, 1 of them a radio (1 wireless)\n1 link (1 radio), 1 sector, 1 gear sheet\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
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

func TestJSONKeysAreThoseOfTheFiles(t *testing.T) {
	n, err := Load(files(good))
	if err != nil {
		t.Fatal(err)
	}
	upper := regexp.MustCompile(`"[^"]*[A-Z][^"]*":`)
	for _, v := range []any{n.View(), n.Gear["dish"], n.Gear["wire"], n.Gear["router"], n.Summary()} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if k := upper.FindString(string(data)); k != "" {
			t.Errorf("key %s in\n%s", k, data)
		}
	}
	dish, _ := json.Marshal(n.Gear["dish"])
	wire, _ := json.Marshal(n.Gear["wire"])
	for _, want := range []string{`"from_mhz":5150,"to_mhz":5875`, `"gain_dbi":23`, `"beamwidth_az_deg":7`, `"width_mhz":20,"phy_mbps":13,"sensitivity_dbm":-82,"max_tx_dbm":25`, `"max_tx_dbm":null`} {
		if !strings.Contains(string(dish)+string(wire), want) {
			t.Errorf("want %s in\n%s\n%s", want, dish, wire)
		}
	}
}
