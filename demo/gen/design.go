package main

// The invented network: sites on ridges that are there, everything else made
// up. Sectors, stations, channels and powers are chosen by the generator on
// the heights.

type siteDesign struct {
	id, name  string
	lat, lon  float64
	structure string
	height    float64 // of the structure; antennas hang 2 m below its top
	power     string
	battery   float64
	access    string
	partners  []string
	sectors   int // at most so many
}

var partnerDesign = []struct{ id, name, contact string }{
	{"langanet", "Langanet (invented)", "noc@langanet.example"},
	{"bormidalink", "Bormidalink (invented)", "noc@bormidalink.example"},
	{"collinawave", "Collinawave (invented)", "noc@collinawave.example"},
}

const (
	lnet = "langanet"
	blnk = "bormidalink"
	cwav = "collinawave"
)

// The ridge sites stand on the cells that are the highest of their
// neighbourhood in the 30" grid, the village ones at the town hall.
var siteDesigns = []siteDesign{
	{"cortemilia", "Cortemilia bell tower", 44.57947, 8.19330, "bell tower", 30, "grid", 12, "Key at the town hall, office hours; at night call the parish office.", []string{lnet, blnk, cwav}, 2},
	{"bric-cortemilia", "Bric above Cortemilia", 44.5958, 8.1625, "mast", 24, "both", 48, "Track from the provincial road, 800 m on foot when it snows; union's key.", []string{lnet, blnk, cwav}, 2},
	{"trezzo", "Trezzo ridge", 44.6458, 8.1208, "mast", 24, "grid", 24, "Tarred road to the gate; union's key.", []string{lnet}, 2},
	{"santo-stefano", "Hill of Santo Stefano", 44.7125, 8.1875, "water tower", 20, "grid", 12, "Water works: call the union's technical office one day before.", []string{lnet}, 2},
	{"cerretto", "Cerretto ridge", 44.5708, 8.0875, "mast", 24, "both", 48, "Track, four-wheel drive from November to March; union's key.", []string{lnet, cwav}, 1},
	{"lequio", "Lequio ridge", 44.6042, 8.0958, "mast", 24, "grid", 24, "Tarred road; union's key.", []string{lnet}, 1},
	{"niella", "Niella ridge", 44.5208, 8.1042, "mast", 30, "both", 72, "Track from Niella Belbo, four-wheel drive; union's key.", []string{blnk, cwav}, 1},
	{"mombarcaro", "Mombarcaro", 44.4958, 8.0792, "mast", 30, "both", 72, "Tarred road, snow plough has it last; union's key.", []string{blnk, cwav}, 1},
	{"bossolasco", "Bossolasco ridge", 44.5208, 8.0458, "mast", 24, "grid", 24, "Tarred road to the water tank; key at the town hall.", []string{cwav}, 2},
	{"murazzano", "Murazzano ridge", 44.4625, 8.0375, "mast", 24, "grid", 24, "Tarred road; union's key.", []string{cwav}, 2},
	{"prunetto", "Prunetto ridge", 44.5125, 8.1625, "mast", 24, "both", 48, "Track from Prunetto; union's key.", []string{blnk}, 2},
	{"gottasecca", "Gottasecca ridge", 44.4792, 8.1625, "mast", 24, "grid", 24, "Tarred road; union's key.", []string{blnk}, 1},
	{"camerana", "Camerana ridge", 44.4125, 8.1458, "pole", 15, "solar", 96, "Path, 20 minutes on foot; union's key.", []string{blnk}, 2},
}

// ptpDesign is a link with a radio of its own at each end. An end is a site,
// or "hall:ISTAT" for a town hall.
type ptpDesign struct {
	a, b     string
	gear     string
	partners []string
	name     string
}

// Most important first: a smaller demo leaves out from the end.
var ptpDesigns = []ptpDesign{
	{"cortemilia", "bric-cortemilia", lhg, []string{lnet, blnk, cwav}, "Gateway Cortemilia"},
	{"bric-cortemilia", "trezzo", netmetal, []string{lnet}, "Ring north, east side"},
	{"trezzo", "santo-stefano", netmetal, []string{lnet}, "Santo Stefano"},
	{"bric-cortemilia", "cerretto", netmetal, []string{lnet, cwav}, "Ring north, south side"},
	{"cerretto", "niella", xl, []string{blnk, cwav}, "Middle, east"},
	{"niella", "prunetto", xl, []string{blnk}, "Ring south, north side"},
	{"niella", "mombarcaro", lhg, []string{blnk, cwav}, "Ring west, east side"},
	{"mombarcaro", "bossolasco", lhg, []string{cwav}, "Ring west, south side"},
	{"mombarcaro", "murazzano", xl, []string{cwav}, "Murazzano"},
	{"prunetto", "gottasecca", lhg, []string{blnk}, "Ring south, east side"},
	{"lequio", "hall:004106", wire, []string{lnet}, "Lequio Berria at 60 GHz"},
	{"cerretto", "lequio", xl, []string{lnet}, "Ring north, west side"},
	{"lequio", "trezzo", xl, []string{lnet}, "Ring north, north side"},
	{"bossolasco", "cerretto", xl, []string{cwav}, "Ring west, north side"},
	{"gottasecca", "mombarcaro", netmetal, []string{blnk, cwav}, "Ring south, west side"},
	{"gottasecca", "camerana", netmetal, []string{blnk}, "Camerana"},
	{"santo-stefano", "hall:004213", lhg, []string{lnet}, "Gateway Santo Stefano"},
}

// wiredDesigns are the links without a radio of ours.
var wiredDesigns = []struct {
	id, name, medium, device, gear, place string
	partners                              []string
}{
	{"fibre-cortemilia", "Fibre at Cortemilia", "fibre", "cortemilia-gateway", "mikrotik-ccr", "cortemilia", []string{lnet, blnk, cwav}},
	{"fibre-santo-stefano", "Fibre at Santo Stefano", "fibre", "santo-stefano-gateway", "mikrotik-ccr", "hall:004213", []string{lnet}},
	{"lte-murazzano", "LTE backup at Murazzano", "lte", "murazzano-lte", "lte-gateway", "murazzano", []string{cwav}},
	{"satellite-camerana", "Satellite backup at Camerana", "satellite", "camerana-satellite", "satellite-terminal", "camerana", []string{blnk}},
}

// wifiSite is where the new wifi drivers are tried.
const wifiSite = "camerana"

const (
	lhg      = "mikrotik-lhg-5-ac"
	xl       = "mikrotik-lhg-xl-5-ac"
	netmetal = "mikrotik-netmetal-5"
	sxt      = "mikrotik-sxtsq-5-ac"
	sxtWifi  = "mikrotik-sxtsq-5-ac-wifi"
	box15    = "mikrotik-mantbox-15s"
	box19    = "mikrotik-mantbox-19s"
	boxWifi  = "mikrotik-mantbox-ax-15s"
	wire     = "mikrotik-wireless-wire"
)

const (
	legalEIRP   = 27   // dBm, 5470 to 5725 MHz without TPC
	radiosWant  = 60   // of the network as shipped
	subscribers = 1990 // more stations that can be added
	hallRoof    = 10   // metres of a town hall's antenna over ground
	houseRoof   = 6
	clearZones  = 0.8 // of the first Fresnel radius, more than the 0.6 that are enough
	phyWant     = 60  // Mbps on the air, both ways: half of it is usable
	phyHall     = 30  // towards the sector, from a town hall that is added: it promises 10
	levelSpare  = 2   // dB over what that rate takes
)
