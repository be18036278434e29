package demo

import (
	"io/fs"
	"math"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
)

func union(t *testing.T) *territory.Union {
	t.Helper()
	u, err := Union()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func networkOf(t *testing.T, n int) *network.Network {
	t.Helper()
	net, err := NetworkOf(n)
	if err != nil {
		t.Fatalf("%d radios: %v", n, err)
	}
	return net
}

func radios(n *network.Network) int { return len(n.Radios()) }

// The figures are those of the source of the shared data.
func TestTheUnionIsThe38Comuni(t *testing.T) {
	u := union(t)
	if len(u.Comuni) != 38 {
		t.Fatalf("%d comuni", len(u.Comuni))
	}
	if n, ok := u.Inhabitants(2011); n != 19702 || !ok {
		t.Errorf("2011: %d people", n)
	}
	if n, ok := u.Inhabitants(2021); n != 17755 || !ok || u.LatestYear() != 2021 {
		t.Errorf("2021: %d people", n)
	}
	area, told := 0.0, 0.0
	for i := range u.Comuni {
		c := &u.Comuni[i]
		a := c.Area()
		area, told = area+a, told+c.AreaKm2
		if math.Abs(a/c.AreaKm2-1) > 0.03 {
			t.Errorf("%s: %.3f km² after simplification, %.3f before", c.Name, a, c.AreaKm2)
		}
		if at, ok := u.ComuneAt(c.Hall); !ok || at.ISTAT != c.ISTAT || !c.Contains(c.Hall) {
			t.Errorf("%s: the town hall lies outside", c.Name)
		}
	}
	if math.Abs(area/460.99-1) > 0.005 || math.Abs(told-460.99) > 0.01 {
		t.Errorf("%.2f km² after simplification, %.2f told", area, told)
	}
	if b := u.Bounds(); b.West > 7.957 || b.East < 8.265 || b.South > 44.395 || b.North < 44.731 {
		t.Errorf("bounds %+v", b)
	}
}

// Neighbours tile: no point of a fine grid lies in two comuni.
func TestComuniDoNotOverlap(t *testing.T) {
	u := union(t)
	b := u.Bounds()
	for lat := b.South; lat < b.North; lat += 0.002 {
		for lon := b.West; lon < b.East; lon += 0.002 {
			in := 0
			for i := range u.Comuni {
				if u.Comuni[i].Contains(geo.LonLat{Lon: lon, Lat: lat}) {
					in++
				}
			}
			if in > 1 {
				t.Fatalf("%v,%v lies in %d comuni", lat, lon, in)
			}
		}
	}
}

func TestPlacesLieInTheirComune(t *testing.T) {
	u := union(t)
	if len(u.Places) < 90 {
		t.Errorf("only %d places", len(u.Places))
	}
	for _, p := range u.Places {
		if c, ok := u.ComuneAt(p.At); !ok || c.ISTAT != p.Comune {
			t.Errorf("%s lies elsewhere", p.Name)
		}
	}
}

func TestTheNetworkAsWritten(t *testing.T) {
	n, err := Network()
	if err != nil {
		t.Fatal(err)
	}
	full, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if radios(full) != Radios || radios(n) != Radios || len(n.Links) != len(full.Links) || len(n.Sites) != len(full.Sites) {
		t.Errorf("%d radios in the files, %d in the network, want %d", radios(full), radios(n), Radios)
	}
	classes, media, power := map[string]int{}, map[network.Medium]int{}, map[string]int{}
	nv2 := 0
	for _, d := range n.Devices {
		classes[n.Gear[d.Gear].Class]++
		if d.Settings.Protocol == "nv2" {
			nv2++
		}
		if n.IsRadio(d) != (d.MAC != "" && d.Settings.Freq.Known() && d.Settings.Width.Known() && d.Settings.TxPower.Known()) {
			t.Errorf("%s: a radio, and only a radio, has MAC and settings", d.ID)
		}
		if d.Address == "" {
			t.Errorf("%s has no address: its links stay unknown", d.ID)
		}
	}
	for _, l := range n.Links {
		media[l.Medium]++
	}
	for _, s := range n.Sites {
		power[s.Power.Source]++
		if s.Access == "" || s.Structure == "" || s.Power.BatteryHours == 0 {
			t.Errorf("site %s lacks structure, power or access", s.ID)
		}
	}
	if classes["wireless"] == 0 || classes["wifi"] == 0 || classes["w60g"] != 2 || classes["router"] == 0 || nv2 == 0 {
		t.Errorf("classes %v, %d with nv2", classes, nv2)
	}
	if media[network.Fibre] < 1 || media[network.LTE] != 1 || media[network.Satellite] != 1 {
		t.Errorf("media %v", media)
	}
	if len(power) < 3 {
		t.Errorf("power %v", power)
	}
	u := union(t)
	halls := map[string]bool{}
	for _, s := range n.Seats {
		if s.Kind == "town-hall" {
			halls[s.Comune] = true
		}
		if c, ok := u.ComuneAt(s.At); !ok || c.ISTAT != s.Comune {
			t.Errorf("seat %s does not stand in %s", s.ID, s.Comune)
		}
	}
	if len(halls) != 38 {
		t.Errorf("%d town halls", len(halls))
	}
}

// Pages show these texts as they are, to people who read Italian.
func TestTextsAreItalian(t *testing.T) {
	english := regexp.MustCompile(`(?i)\b(the|of|at|and|hall|ridge|hill|ring|side|north|south|east|west|fibre|school|road|camera at|track|key|backup|tower|invented|subscriber)\b`)
	n := networkOf(t, 200)
	var texts []string
	for _, s := range n.Sites {
		texts = append(texts, s.Name, s.Access, s.Power.Notes)
	}
	for _, s := range n.Seats {
		texts = append(texts, s.Name)
	}
	for _, l := range n.Links {
		texts = append(texts, l.Name)
	}
	for _, p := range n.Partners {
		texts = append(texts, p.Name)
	}
	for _, s := range texts {
		if w := english.FindString(s); w != "" {
			t.Errorf("%q: %q is no Italian", s, w)
		}
	}
}

func TestEveryPartnerHasLinksAndSomeAreShared(t *testing.T) {
	for _, size := range []int{MinRadios, Radios, 200} {
		n := networkOf(t, size)
		if len(n.Partners) != 3 {
			t.Fatalf("%d partners", len(n.Partners))
		}
		for _, p := range n.Partners {
			if len(n.LinksOf(p.ID)) == 0 {
				t.Errorf("%d radios: %s has no link", size, p.ID)
			}
		}
		if !slices.ContainsFunc(n.Links, func(l network.Link) bool { return len(l.Partner) > 1 }) {
			t.Errorf("%d radios: no link is shared", size)
		}
		weak, ok := n.Link(WeakLink)
		if !ok || !slices.Contains(weak.Partner, n.Partners[0].ID) || weak.Medium != network.Radio {
			t.Errorf("%d radios: weak link %+v", size, weak)
		}
	}
}

func TestPowersKeepTheLaw(t *testing.T) {
	n := networkOf(t, 300)
	for _, d := range n.Devices {
		if !n.IsRadio(d) {
			continue
		}
		f := d.Settings.Freq.Or(0)
		rule, err := spectrum.Lookup(f, spectrum.RLAN)
		if err != nil || !rule.Verified || rule.Indoor {
			t.Fatalf("%s at %v: %v", d.ID, f, err)
		}
		if eirp := d.Settings.TxPower.Or(99).Plus(n.Gear[d.Gear].Antenna.Gain); eirp > rule.MaxEIRPNoTPC+0.001 {
			t.Errorf("%s: EIRP %v, allowed %v", d.ID, eirp, rule.MaxEIRPNoTPC)
		}
	}
}

// span is what a radio takes up: 40 MHz go from 10 under to 30 over the centre
// of the primary channel.
func span(d network.Device) (low, high unit.MHz) {
	f, w := d.Settings.Freq.Or(0), d.Settings.Width.Or(0)
	if w == 2160 {
		return f - w/2, f + w/2
	}
	return f - 10, f - 10 + w
}

func TestNoTwoLinksOfAPlaceShareAChannel(t *testing.T) {
	n := networkOf(t, Radios)
	for i, a := range n.Devices {
		pa, _, _ := n.Position(a.ID)
		for _, b := range n.Devices[:i] {
			pb, _, _ := n.Position(b.ID)
			if !n.IsRadio(a) || !n.IsRadio(b) || pa.Distance(pb) > 50 {
				continue
			}
			aLow, aHigh := span(a)
			bLow, bHigh := span(b)
			if aLow < bHigh && bLow < aHigh {
				t.Errorf("%s and %s overlap: %v and %v", a.ID, b.ID, a.Settings.Freq.Or(0), b.Settings.Freq.Or(0))
			}
		}
	}
}

func TestNetworkOfGivesExactlyAsManyRadios(t *testing.T) {
	for n := MinRadios; n <= MaxRadios; n++ {
		if n > 200 && n%97 != 0 && n != MaxRadios {
			continue
		}
		net := networkOf(t, n)
		if got := radios(net); got != n {
			t.Fatalf("want %d radios, got %d", n, got)
		}
		whole(t, net)
		if net.Index(); len(net.Links) == 0 {
			t.Fatal("no links")
		}
	}
	for _, n := range []int{0, MinRadios - 1, MaxRadios + 1, -5} {
		if _, err := NetworkOf(n); err == nil {
			t.Errorf("%d radios were given", n)
		}
	}
}

// whole checks that nothing points outside the network, and that every name,
// address and MAC is there once.
func whole(t *testing.T, n *network.Network) {
	t.Helper()
	once := map[string]bool{}
	add := func(kind, v string) {
		if v != "" && once[kind+v] {
			t.Fatalf("%s %s is there twice", kind, v)
		}
		once[kind+v] = true
	}
	linked := map[network.DeviceID]bool{}
	for _, l := range n.Links {
		add("link", string(l.ID))
		if _, ok := n.Device(l.A); !ok {
			t.Fatalf("link %s: no device %s", l.ID, l.A)
		}
		if _, ok := n.Device(l.B); !ok && (l.B != "" || l.Medium == network.Radio) {
			t.Fatalf("link %s: no device %s", l.ID, l.B)
		}
		if _, ok := n.Sector(l.Sector); !ok && l.Sector != "" {
			t.Fatalf("link %s: no sector %s", l.ID, l.Sector)
		}
		linked[l.A], linked[l.B] = true, true
	}
	for _, d := range n.Devices {
		add("device", string(d.ID))
		add("address ", d.Address)
		add("mac ", d.MAC)
		if _, _, ok := n.Position(d.ID); !ok || !linked[d.ID] {
			t.Fatalf("device %s: no place or no link", d.ID)
		}
		if err := network.CheckName("device", string(d.ID)); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range n.Sectors {
		if _, ok := n.Device(s.Device); !ok {
			t.Fatalf("sector %s: no device", s.ID)
		}
	}
	for _, s := range n.Seats {
		add("seat", string(s.ID))
	}
}

func TestSmallerNetworksArePartsOfLargerOnes(t *testing.T) {
	large := networkOf(t, 150)
	small := networkOf(t, Radios)
	for _, l := range small.Links {
		if _, ok := large.Link(l.ID); !ok {
			t.Errorf("link %s is missing in the larger network", l.ID)
		}
	}
	if again := networkOf(t, 150); !reflect.DeepEqual(large, again) {
		t.Error("the same number gave another network")
	}
	large.Links[0].Partner[0] = "changed"
	if networkOf(t, 150).Links[0].Partner[0] == "changed" {
		t.Error("two calls share their links")
	}
}

func TestWhatIsEmbedded(t *testing.T) {
	for _, name := range []string{Terrain, "SOURCES.md", "territory/union.json", "gear/generic-80211ac-23dbi.yaml", "network/links.yaml"} {
		if fi, err := fs.Stat(FS, name); err != nil || fi.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any sheet that is shipped says how much its figures may be trusted.
func TestGearIsHonest(t *testing.T) {
	n := networkOf(t, Radios)
	for id, g := range n.Gear {
		if g.Class == "router" {
			continue
		}
		if g.Antenna.Source == "" {
			t.Errorf("%s: antenna without a source", id)
		}
		for _, r := range g.Rates {
			if g.Vendor == "MikroTik" && r.Confidence != network.StandardMinimum {
				t.Errorf("%s: no sensitivity of MikroTik is known, yet it says %s", id, r.Confidence)
			}
		}
	}
	if len(n.Gear) < 12 {
		t.Errorf("%d sheets", len(n.Gear))
	}
}

func BenchmarkNetworkOf(b *testing.B) {
	for b.Loop() {
		if _, err := NetworkOf(500); err != nil {
			b.Fatal(err)
		}
	}
}
