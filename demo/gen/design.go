package main

// The invented network: sites on ridges that are there, everything else made
// up. Names and notes are Italian, as its technicians would write them. Sectors,
// stations, channels and powers are chosen by the generator on the heights.

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
	{"langanet", "Langanet (inventato)", "noc@langanet.example"},
	{"bormidalink", "Bormidalink (inventato)", "noc@bormidalink.example"},
	{"collinawave", "Collinawave (inventato)", "noc@collinawave.example"},
}

const (
	lnet = "langanet"
	blnk = "bormidalink"
	cwav = "collinawave"
)

// The ridge sites stand on the cells that are the highest of their
// neighbourhood in the 30" grid, the village ones at the town hall.
var siteDesigns = []siteDesign{
	{"cortemilia", "Campanile di Cortemilia", 44.57947, 8.19330, "bell tower", 30, "grid", 12, "Chiave in municipio in orario d'ufficio; di notte chiamare la parrocchia.", []string{lnet, blnk, cwav}, 2},
	{"bric-cortemilia", "Bric sopra Cortemilia", 44.5958, 8.1625, "mast", 24, "both", 48, "Sterrata dalla provinciale, con la neve ultimi 800 m a piedi; chiave dell'Unione.", []string{lnet, blnk, cwav}, 2},
	{"trezzo", "Dorsale di Trezzo", 44.6458, 8.1208, "mast", 24, "grid", 24, "Strada asfaltata fino al cancello; chiave dell'Unione.", []string{lnet}, 2},
	{"santo-stefano", "Collina di Santo Stefano", 44.7125, 8.1875, "water tower", 20, "grid", 12, "Acquedotto: avvisare l'ufficio tecnico dell'Unione il giorno prima.", []string{lnet}, 2},
	{"cerretto", "Dorsale di Cerretto", 44.5708, 8.0875, "mast", 24, "both", 48, "Sterrata, da novembre a marzo solo con il 4x4; chiave dell'Unione.", []string{lnet, cwav}, 1},
	{"lequio", "Dorsale di Lequio", 44.6042, 8.0958, "mast", 24, "grid", 24, "Strada asfaltata; chiave dell'Unione.", []string{lnet}, 1},
	{"niella", "Dorsale di Niella", 44.5208, 8.1042, "mast", 30, "both", 72, "Sterrata da Niella Belbo, serve il 4x4; chiave dell'Unione.", []string{blnk, cwav}, 1},
	{"mombarcaro", "Mombarcaro", 44.4958, 8.0792, "mast", 30, "both", 72, "Strada asfaltata, lo spazzaneve ci passa per ultimo; chiave dell'Unione.", []string{blnk, cwav}, 1},
	{"bossolasco", "Dorsale di Bossolasco", 44.5208, 8.0458, "mast", 24, "grid", 24, "Strada asfaltata fino al serbatoio dell'acqua; chiave in municipio.", []string{cwav}, 2},
	{"murazzano", "Dorsale di Murazzano", 44.4625, 8.0375, "mast", 24, "grid", 24, "Strada asfaltata; chiave dell'Unione.", []string{cwav}, 2},
	{"prunetto", "Dorsale di Prunetto", 44.5125, 8.1625, "mast", 24, "both", 48, "Sterrata da Prunetto; chiave dell'Unione.", []string{blnk}, 2},
	{"gottasecca", "Dorsale di Gottasecca", 44.4792, 8.1625, "mast", 24, "grid", 24, "Strada asfaltata; chiave dell'Unione.", []string{blnk}, 1},
	{"camerana", "Dorsale di Camerana", 44.4125, 8.1458, "pole", 15, "solar", 96, "Sentiero, 20 minuti a piedi; chiave dell'Unione.", []string{blnk}, 2},
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
	{"cortemilia", "bric-cortemilia", lhg, []string{lnet, blnk, cwav}, "Raccordo Cortemilia"},
	{"bric-cortemilia", "trezzo", netmetal, []string{lnet}, "Anello nord, lato est"},
	{"trezzo", "santo-stefano", netmetal, []string{lnet}, "Santo Stefano"},
	{"bric-cortemilia", "cerretto", netmetal, []string{lnet, cwav}, "Anello nord, lato sud"},
	{"cerretto", "niella", xl, []string{blnk, cwav}, "Tratta centrale, lato est"},
	{"niella", "prunetto", xl, []string{blnk}, "Anello sud, lato nord"},
	{"niella", "mombarcaro", lhg, []string{blnk, cwav}, "Anello ovest, lato est"},
	{"mombarcaro", "bossolasco", lhg, []string{cwav}, "Anello ovest, lato sud"},
	{"mombarcaro", "murazzano", xl, []string{cwav}, "Murazzano"},
	{"prunetto", "gottasecca", lhg, []string{blnk}, "Anello sud, lato est"},
	{"lequio", "hall:004106", wire, []string{lnet}, "Lequio Berria a 60 GHz"},
	{"cerretto", "lequio", xl, []string{lnet}, "Anello nord, lato ovest"},
	{"lequio", "trezzo", xl, []string{lnet}, "Anello nord, lato nord"},
	{"bossolasco", "cerretto", xl, []string{cwav}, "Anello ovest, lato nord"},
	{"gottasecca", "mombarcaro", netmetal, []string{blnk, cwav}, "Anello sud, lato ovest"},
	{"gottasecca", "camerana", netmetal, []string{blnk}, "Camerana"},
	{"santo-stefano", "hall:004213", lhg, []string{lnet}, "Raccordo Santo Stefano"},
}

// wiredDesigns are the links without a radio of ours. Each begins at a MikroTik
// that is polled: the LTE gateway is one, the satellite terminal, which nobody
// can ask, hangs on a port of one.
var wiredDesigns = []struct {
	id, name, medium, device, gear, place string
	partners                              []string
}{
	{"fibre-cortemilia", "Fibra a Cortemilia", "fibre", "cortemilia-gateway", "mikrotik-ccr", "cortemilia", []string{lnet, blnk, cwav}},
	{"fibre-santo-stefano", "Fibra a Santo Stefano", "fibre", "santo-stefano-gateway", "mikrotik-ccr", "hall:004213", []string{lnet}},
	{"lte-murazzano", "Riserva LTE a Murazzano", "lte", "murazzano-lte", "lte-gateway", "murazzano", []string{cwav}},
	{"satellite-camerana", "Riserva satellitare a Camerana", "satellite", "camerana-satellite", "mikrotik-hex", "camerana", []string{blnk}},
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
