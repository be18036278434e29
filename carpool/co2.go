package carpool

import "github.com/crinale/crinale/internal/unit"

// GramsPerKm is what an average car of the Italian fleet emits per kilometre.
//
// Source: ISPRA, "Metodo di calcolo delle emissioni evitate utilizzando
// modalità di trasporto alternative all'auto privata" (isprambiente.gov.it,
// servizi/mobilita-sostenibile/strumenti-e-indicatori): row "Passenger Cars",
// column 2018 of its data base of mean emission factors of road transport in
// Italy, 167.1111 g CO₂/km.
const GramsPerKm = 167.1111

// CO2Method says, beside each figure, how it was found.
const CO2Method = "ISPRA, metodo di calcolo delle emissioni evitate: 167,1111 g CO2 per km di autovettura (parco italiano 2018). " +
	"Ogni prenotazione completata vale un'auto in meno per i km percorsi a bordo, anche con accompagnatori; " +
	"si toglie la deviazione del conducente, dal suo tempo a 40 km/h; chi avrebbe avuto un autobus vale 0; i km a vuoto e la costruzione dei veicoli non sono contati."

// Lifted is a completed booking as the account of emissions sees it.
type Lifted struct {
	Metres unit.Metres // aboard
	ByBus  bool        // a bus went there at that time: no car was left at home
}

// CO2Saved is what a ride saved, in kg: for each booking the car that its rider
// left at home, less the driver's detour. A ride whose riders would all have
// taken the bus saved nothing, and its detour counts against it.
func CO2Saved(riders []Lifted, detour unit.Metres) float64 {
	way := -max(0, detour.Km())
	for _, r := range riders {
		if !r.ByBus {
			way += max(0, r.Metres.Km())
		}
	}
	return way * GramsPerKm / 1000
}
