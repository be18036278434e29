package network

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
)

const dish = `
id: dish
product: A dish
class: wireless
bands: [{from_mhz: 5150, to_mhz: 5875}]
antenna: {gain_dbi: 23, beamwidth_az_deg: 7, beamwidth_el_deg: 7, source: test, confidence: vendor}
rates:
  - source: test
    confidence: standard-minimum
    streams: 2
    max_tx_dbm: 25
    rows:
      - {mcs: 1, width_mhz: 20, phy_mbps: 26, sensitivity_dbm: -79, max_tx_dbm: 24}
      - {mcs: 0, width_mhz: 20, phy_mbps: 13, sensitivity_dbm: -82}
      - {mcs: 0, width_mhz: 40, phy_mbps: 27, sensitivity_dbm: -79}
`

const router = "id: router\nproduct: A router\nclass: router\n"

const wire = `
id: wire
product: A wire
class: w60g
bands: [{from_mhz: 57000, to_mhz: 66000}]
antenna: {gain_dbi: 20, beamwidth_az_deg: 20, beamwidth_el_deg: 20, source: test, confidence: unknown}
rates: [{source: test, confidence: unknown, streams: 1, rows: [{mcs: 1, width_mhz: 2160, phy_mbps: 385, sensitivity_dbm: -68}]}]
`

const good = `
partners:
  - {id: langanet, name: Langanet, contact: noc@langanet.example}
sites:
  - id: nord
    name: Nord
    lat: 44.5
    lon: 8.1
    comune: 004124
    structure: mast
    height_m: 12
    power: {source: both, battery_h: 36}
    partners: [langanet]
  - {id: sud, name: Sud, lat: 44.45, lon: 8.1}
seats:
  - {id: casa, name: Casa, kind: subscriber, lat: 44.51, lon: 8.11}
devices:
  - id: nord-sud
    site: nord
    gear: dish
    address: 10.0.0.1:8728
    mac: 4c-5e-0c-0f-2b-3a
    height_m: 10
    settings: {ssid: dorsale, freq_mhz: 5600, width_mhz: 20, tx_power_dbm: 4, protocol: nv2}
  - {id: sud-nord, site: sud, gear: dish, height_m: 9, settings: {freq_mhz: 5600, width_mhz: 20, protocol: nv2}}
  - {id: nord-ap, site: nord, gear: dish, height_m: 11, azimuth_deg: 90, settings: {freq_mhz: 5500}}
  - {id: casa-cpe, seat: casa, gear: dish, height_m: 6}
  - {id: nord-gw, site: nord, gear: router}
sectors:
  - {id: nord-est, device: nord-ap}
links:
  - {id: dorsale, medium: radio, a: nord-sud, b: sud-nord, partners: [langanet], min_mbps: 50}
  - {id: casa, medium: radio, a: nord-ap, b: casa-cpe, sector: nord-est}
  - {id: fibra, medium: fibre, a: nord-gw}
`

func files(network string) fstest.MapFS {
	return fstest.MapFS{
		"net.yaml":         {Data: []byte(network)},
		"gear/dish.yaml":   {Data: []byte(dish)},
		"gear/router.yaml": {Data: []byte(router)},
		"gear/wire.yaml":   {Data: []byte(wire)},
		"gear/README.md":   {Data: []byte("not read")},
	}
}

func TestLoadReadsANetwork(t *testing.T) {
	n, err := Load(files(good))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := n.Device("nord-sud")
	if d.MAC != "4C:5E:0C:0F:2B:3A" || d.Settings.Freq.Or(0) != 5600 || d.Settings.TxPower.Or(0) != 4 || d.Azimuth.Known() {
		t.Errorf("device %+v", d)
	}
	s, _ := n.Site("nord")
	if s.Comune != "004124" || s.Power.BatteryHours != 36 || s.At.Lat != 44.5 || s.Shared[0] != "langanet" {
		t.Errorf("site %+v", s)
	}
	sec, _ := n.Sector("nord-est")
	if sec.Use != "rlan" || sec.Band != "5470-5725" {
		t.Errorf("sector %+v", sec)
	}
	if ls := n.LinksOf("langanet"); len(ls) != 1 || ls[0].MinMbps != 50 {
		t.Errorf("links %+v", ls)
	}
	if p, h, ok := n.Position("casa-cpe"); !ok || h != 6 || p.Lat != 44.51 {
		t.Errorf("position %v %v %v", p, h, ok)
	}
	g := n.Gear["dish"]
	if len(g.Rates) != 3 || g.Rates[0].MCS != 0 || g.Rates[0].Sensitivity != -82 || g.MaxTx(20).Or(0) != 25 || g.Rates[1].MaxTx.Or(0) != 24 || g.Rates[2].Width != 40 {
		t.Errorf("rates %+v", g.Rates)
	}
}

func TestFilesAreReadTogetherAndSheetsComeFromFurtherFolders(t *testing.T) {
	at := strings.Index(good, "devices:")
	fsys := fstest.MapFS{
		"a.yaml":         {Data: []byte(good[:at])},
		"b.yaml":         {Data: []byte(good[at:])},
		"empty.yaml":     {Data: []byte("# nothing yet\n")},
		"gear/dish.yaml": {Data: []byte(strings.Replace(dish, "A dish", "Our dish", 1))},
	}
	n, err := Load(fsys, fstest.MapFS{"gear/d.yaml": {Data: []byte(dish)}}, fstest.MapFS{"router.yaml": {Data: []byte(router)}})
	if err != nil {
		t.Fatal(err)
	}
	if n.Gear["dish"].Product != "Our dish" || n.Gear["router"].Class != "router" {
		t.Errorf("gear %+v", n.Gear)
	}
}

// Each case changes the good network once; the words must stand in the one
// problem it makes.
func TestOneSlipGivesOneLineThatSaysWhatToMend(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "freq_mhz: 5600, width_mhz: 20, tx", "frequency_mhz: 5600, width_mhz: 20, tx", `net.yaml:24: devices[nord-sud].settings.frequency_mhz: unknown key`},
		{"device twice", "id: sud-nord, site", "id: nord-sud, site", `device "nord-sud" is there twice, first at net.yaml:18`},
		{"link to nowhere", "b: sud-nord", "b: sud-nrod", `net.yaml:32: links[dorsale].b: there is no device "sud-nrod", did you mean sud-nord?`},
		{"link of nobody", "a: nord-gw", "a: gw", `links[fibra].a: there is no device "gw"`},
		{"link with itself", "b: sud-nord", "b: nord-sud", `not "nord-sud" with itself`},
		{"no place", "seat: casa, ", "", `the device stands nowhere`},
		{"two places", "seat: casa, ", "seat: casa, site: nord, ", `keep one of them`},
		{"unknown site", "site: sud, gear", "site: sude, gear", `there is no site "sude", did you mean sud?`},
		{"unknown seat", "seat: casa,", "seat: case,", `there is no seat "case", did you mean casa?`},
		{"unknown gear", "site: sud, gear: dish", "site: sud, gear: dihs", `there is no gear sheet "dihs", did you mean dish?`},
		{"unknown medium", "medium: fibre", "medium: fiber", `"fiber" is not known, did you mean fibre?`},
		{"unknown kind", "kind: subscriber", "kind: villa", `"villa" is not known; write one of town-hall`},
		{"unknown structure", "structure: mast", "structure: masts", `did you mean mast?`},
		{"unknown power", "source: both", "source: wind", `write one of grid, solar, both`},
		{"unknown partner", "b: sud-nord, partners: [langanet]", "b: sud-nord, partners: [langnet]", `there is no partner "langnet", did you mean langanet?`},
		{"partner twice", "b: sud-nord, partners: [langanet]", "b: sud-nord, partners: [langanet, langanet]", `listed twice`},
		{"partner with a space", "- {id: langanet, name: Langanet", "- {id: Langa net, name: Langanet", `write a-z, 0-9 and - only, such as "langa-net"`},
		{"latitude", "lat: 44.45, lon: 8.1", "lat: 444.5, lon: 8.1", `444.5 is no latitude`},
		{"swapped", "lat: 44.45, lon: 8.1", "lat: 98.1, lon: 44.5", `are lat and lon swapped?`},
		{"swapped, both in range", "lat: 44.45, lon: 8.1", "lat: 8.1, lon: 44.45", `net.yaml:14: sites[sud].lat: 8.100000,44.450000 lies 5351 km from the rest of the network, near 44.500000,8.110000: did you swap lat and lon?`},
		{"far", "lat: 44.45, lon: 8.1", "lat: 54.45, lon: 8.1", `did you swap lat and lon?`},
		{"seat swapped", "lat: 44.51, lon: 8.11", "lat: 8.11, lon: 44.51", `seats[casa].lat: 8.110000,44.510000 lies`},
		{"longitude", "lat: 44.45, lon: 8.1", "lat: 44.45, lon: 8339", `8339 is no longitude`},
		{"no latitude", "lat: 44.45, ", "", `sites[sud].lat: missing: add the key lat`},
		{"comune", "comune: 004124", "comune: 4124", `six digits`},
		{"structure height", "height_m: 12\n", "height_m: 1200\n", `out of range`},
		{"device over its mast", "height_m: 10\n", "height_m: 40\n", `40.0 m up on a structure of 12.0 m at net.yaml:5`},
		{"no height", "seat: casa, gear: dish, height_m: 6", "seat: casa, gear: dish", `needs the height of its antenna`},
		{"band of gear", "freq_mhz: 5500", "freq_mhz: 2412", `2412 MHz is outside the bands of dish: 5150 to 5875 MHz`},
		{"rim of the band", "freq_mhz: 5500", "freq_mhz: 5870", `5870 MHz is outside the bands of dish: 5150 to 5875 MHz, with the width`},
		{"no rule", "freq_mhz: 5500", "freq_mhz: 5400", `no rule is known for 5400 MHz`},
		{"width", "freq_mhz: 5500", "freq_mhz: 5500, width_mhz: 80", `dish has no rates at 80 MHz: write one of 20, 40`},
		{"power", "tx_power_dbm: 4", "tx_power_dbm: 26", `26.0 dBm is more than the 25.0 dBm that dish can send`},
		{"frequencies differ", "gear: dish, height_m: 9, settings: {freq_mhz: 5600", "gear: dish, height_m: 9, settings: {freq_mhz: 5620", `5620 MHz here, but 5600 MHz at the other end "nord-sud"`},
		{"widths differ", "height_m: 9, settings: {freq_mhz: 5600, width_mhz: 20", "height_m: 9, settings: {freq_mhz: 5600, width_mhz: 40", `40 MHz here, but 20 MHz`},
		{"protocols differ", "width_mhz: 20, protocol: nv2", "width_mhz: 20, protocol: 802.11", `only one end of the link "dorsale" speaks nv2`},
		{"protocol", "protocol: nv2}}", "protocol: nv3}}", `"nv3" is not known, did you mean nv2?`},
		{"mac", "4c-5e-0c-0f-2b-3a", "4c-5e-0c-0f-2b", `is no MAC address`},
		{"group mac", "4c-5e-0c-0f-2b-3a", "4d-5e-0c-0f-2b-3a", `is a group address`},
		{"address with scheme", "10.0.0.1:8728", "http://10.0.0.1/", `is no management address`},
		{"port", "10.0.0.1:8728", "10.0.0.1:99999", `no port from 1 to 65535`},
		{"sector device", "device: nord-ap", "device: nord-app", `there is no device "nord-app", did you mean nord-ap?`},
		{"sector use", "device: nord-ap}", "device: nord-ap, use: bfwa}", `"bfwa" is no use known at 5500 MHz: write one of rlan`},
		{"sector band", "device: nord-ap}", "device: nord-ap, band: 5150-5250}", `write 5470-5725`},
		{"sector azimuth", "azimuth_deg: 90, ", "", `missing: the device serves the sector "nord-est"`},
		{"sector of link", "sector: nord-est", "sector: nord-ovest", `there is no sector "nord-ovest"`},
		{"sector forgotten", ", sector: nord-est", "", `add sector: nord-est`},
		{"sector on another", "b: sud-nord, partners", "b: sud-nord, sector: nord-est, partners", `the access point of the sector "nord-est" is "nord-ap"`},
		{"radio without end", ", b: casa-cpe", "", `a radio link needs both ends`},
		{"radio of a router", "b: casa-cpe", "b: nord-gw", `device "nord-gw" has no radio`},
		{"radio in two links", "medium: fibre, a: nord-gw", "medium: radio, a: nord-sud, b: casa-cpe", `is already in the link`},
		{"60 GHz with 5 GHz", "seat: casa, gear: dish", "seat: casa, gear: wire", `only one of them is a 60 GHz radio`},
		{"same place", "id: casa, name: Casa, kind: subscriber, lat: 44.51, lon: 8.11", "id: casa, name: Casa, kind: subscriber, lat: 44.5, lon: 8.1", `stand at the same place`},
		{"promise", "min_mbps: 50", "min_mbps: -50", `out of range`},
		{"unit in a value", "height_m: 9,", "height_m: 9 m,", `no unit and no quotes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) != 1 {
				t.Fatalf("%q stands %d times in the good network", c.old, strings.Count(good, c.old))
			}
			n, err := Load(files(strings.Replace(good, c.old, c.new, 1)))
			ps, ok := strict.All(err)
			if !ok || n != nil || fault.Of(err) != fault.Invalid {
				t.Fatalf("want problems, got %v", err)
			}
			if !strings.Contains(ps[0].Error()+"\n"+err.Error(), c.want) {
				t.Errorf("want %q in:\n%v", c.want, err)
			}
			for _, p := range ps {
				if p.File != "net.yaml" || p.Line < 2 {
					t.Errorf("a problem without its place: %v", p)
				}
			}
			if len(ps) > 3 {
				t.Errorf("%d problems for one slip:\n%v", len(ps), err)
			}
		})
	}
}

// What follows from a refused name, or from a value that cannot be read, is
// not told on top of it.
func TestOneSlipGivesNoFollowingLines(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"id: langanet,", "id: langa net,", `such as "langa-net"`},
		{"- id: nord\n", "- id: Nord_\n", `such as "nord"`},
		{"{id: casa, name: Casa", "{id: Casa!, name: Casa", `such as "casa"`},
		{"id: sud-nord, site", "id: sud nord, site", `such as "sud-nord"`},
		{"{id: nord-est", "{id: nord est", `such as "nord-est"`},
		{"height_m: 9,", "height_m: abc,", `want a plain number`},
		{"height_m: 9,", "height_m: .nan,", `want a plain number`},
	} {
		_, err := Load(files(strings.Replace(good, c.old, c.new, 1)))
		ps, _ := strict.All(err)
		if len(ps) != 1 || !strings.Contains(ps[0].Error(), c.want) {
			t.Errorf("%s: want one line with %s, got:\n%v", c.new, c.want, err)
		}
	}
	fsys := files(good)
	fsys["gear/dish.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(dish, "id: dish", "id: the dish", 1))}
	if ps, _ := strict.All(func() error { _, err := Load(fsys); return err }()); len(ps) != 1 {
		t.Errorf("gear: %v", ps)
	}
}

func TestGearSheetsAreChecked(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"class", "class: wireless", "class: wirless", `did you mean wireless?`},
		{"band", "from_mhz: 5150", "from_mhz: 6150", `a band goes up`},
		{"no bands", "bands: [{from_mhz: 5150, to_mhz: 5875}]\n", "", `at least one band`},
		{"confidence", "confidence: vendor", "confidence: sure", `write one of vendor, third-party, standard-minimum, unknown`},
		{"no source", "source: test, ", "", `missing: add the key source to the antenna`},
		{"rate twice", "mcs: 1,", "mcs: 0,", `given twice`},
		{"sensitivity", "sensitivity_dbm: -82", "sensitivity_dbm: 82", `out of range`},
		{"pattern", "source: test, ", "source: test, pattern: dish.ant, ", `is not beside the sheet`},
		{"name", "id: dish", "id: Dish", `the gear sheet name "Dish" is not allowed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := files(good)
			fsys["gear/dish.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(dish, c.old, c.new, 1))}
			_, err := Load(fsys)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "gear/dish.yaml:") {
				t.Errorf("want %q, got:\n%v", c.want, err)
			}
		})
	}
}

func TestFoldersThatAreNoNetwork(t *testing.T) {
	if _, err := Load(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "no *.yaml file") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(fstest.MapFS{"net.yml": {Data: []byte(good)}, "a.yaml": {}}); err == nil || !strings.Contains(err.Error(), "rename it to net.yaml") {
		t.Errorf("got %v", err)
	}
	fsys := files(good)
	fsys["gear/other.yaml"] = &fstest.MapFile{Data: []byte(dish)}
	if _, err := Load(fsys); err == nil || !strings.Contains(err.Error(), `gear "dish" is described twice, first at gear/dish.yaml:2`) {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good), []byte(dish))
	f.Add([]byte(strings.Replace(good, "tx_power_dbm: 4,", `tx_power_dbm: -4.5, identity: "a: b", comment: "#1", addresses: [{address: 10.0.0.1/8, interface: "on", comment: "\u00e0"}],`, 1)), []byte(dish))
	f.Add([]byte("devices: [{id: a, gear: b, settings: {}}]\nsectors: [{id: s, device: a}]"), []byte("id: b\nproduct: x\nclass: wireless"))
	f.Add([]byte("partners:"), []byte(dish))
	f.Add([]byte("links: [{}]\nsites: [{}]\nseats: [{}]\ndevices: [{}]\nsectors: [{}]\npartners: [{}]"), []byte("{}"))
	f.Fuzz(func(t *testing.T, network, gear []byte) {
		fsys := fstest.MapFS{"net.yaml": {Data: network}, "gear/dish.yaml": {Data: gear}, "gear/router.yaml": {Data: []byte(router)}}
		n, err := Load(fsys)
		if (n == nil) != (err != nil) {
			t.Fatalf("network %v with error %v", n, err)
		}
		if err != nil {
			for _, p := range func() strict.Problems { ps, _ := strict.All(err); return ps }() {
				if p.File == "" {
					t.Errorf("a problem without a file: %+v", p)
				}
			}
			return
		}
		if len(n.Files()) == 0 {
			return // an empty network has nothing to read back
		}
		delete(fsys, "net.yaml")
		sameAgain(t, n, fsys)
	})
}

// TestOneSlipIsOneProblem: a file that is no YAML does not make every name of
// it missing in the others.
func TestOneSlipIsOneProblem(t *testing.T) {
	_, err := Load(fstest.MapFS{
		"sites.yaml":   {Data: []byte("sites:\n  - {id: a, name: A, lat: 44.5, lon: 8.1\n")},
		"devices.yaml": {Data: []byte("devices:\n  - {id: a-up, site: a, gear: g}\n  - {id: a-down, site: a, gear: g}\n")},
	})
	ps, ok := strict.All(err)
	if !ok || len(ps) != 1 || ps[0].File != "sites.yaml" || !strings.Contains(ps[0].Text, "not YAML") {
		t.Errorf("got %v", err)
	}
}
