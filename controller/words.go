package controller

import (
	"fmt"
	"math"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// The sentences of alerts: first what was seen, then what to do. Figures are
// whole numbers, which read the same in both languages.

func named(l network.Link) string {
	if l.Name != "" {
		return l.Name
	}
	return string(l.ID)
}

func dbm(v unit.DBm) string   { return fmt.Sprintf("%.0f dBm", math.Round(float64(v))) }
func mbps(v unit.Mbps) string { return fmt.Sprintf("%.0f Mbps", math.Round(float64(v))) }

// at is "device (place)", or the device alone.
func at(d network.DeviceID, place string) string {
	if place == "" {
		return string(d)
	}
	return fmt.Sprintf("%s (%s)", d, place)
}

func downWords(l network.Link) (seen, todo Text) {
	switch l.Medium {
	case network.Radio:
		return Text{
				IT: fmt.Sprintf("Il collegamento radio %s è caduto: gli apparati che rispondono non vedono più l'altro capo.", named(l)),
				EN: fmt.Sprintf("The radio link %s is down: the devices that answer no longer see the other end.", named(l)),
			}, Text{
				IT: "Verificare che l'apparato all'altro capo sia alimentato e acceso; poi frequenza, nome della rete e chiave ai due capi; infine antenna e percorso.",
				EN: "Check that the device at the other end has power; then frequency, network name and key at both ends; then the antenna and the path.",
			}
	case network.Fibre:
		return Text{
				IT: fmt.Sprintf("Il collegamento %s è caduto: la porta della fibra non è attiva.", named(l)),
				EN: fmt.Sprintf("The link %s is down: the port of the fibre is not running.", named(l)),
			}, Text{
				IT: "Controllare il modulo ottico e la bretella, poi chiamare il gestore della fibra.",
				EN: "Check the optical module and the patch cord, then call the operator of the fibre.",
			}
	}
	return Text{
			IT: fmt.Sprintf("Il collegamento %s è caduto: l'interfaccia non è attiva.", named(l)),
			EN: fmt.Sprintf("The link %s is down: the interface is not running.", named(l)),
		}, Text{
			IT: "Controllare alimentazione, antenna e credito o contratto presso l'operatore.",
			EN: "Check power, antenna, and the credit or contract with the operator.",
		}
}

func weakWords(l network.Link, d network.DeviceID, level, limit unit.DBm, planned unit.Opt[unit.DBm]) (seen, todo Text) {
	it := fmt.Sprintf("Collegamento %s: il segnale ricevuto da %s è %s, sotto il limite di %s", named(l), d, dbm(level), dbm(limit))
	en := fmt.Sprintf("Link %s: the signal received at %s is %s, below the limit of %s", named(l), d, dbm(level), dbm(limit))
	if p, ok := planned.Get(); ok {
		it += fmt.Sprintf(" (previsto dal progetto: %s)", dbm(p))
		en += fmt.Sprintf(" (planned: %s)", dbm(p))
	}
	return Text{IT: it + ".", EN: en + "."}, Text{
		IT: "Controllare il puntamento delle due antenne, i connettori e l'acqua al loro interno, e se alberi o altro sono entrati nel percorso. Se i due capi sono scesi insieme dopo il vento, è probabile il puntamento.",
		EN: "Check the aim of both antennas, the connectors and water in them, and whether trees or anything else have come into the path. If both ends fell together after wind, the aim is the likely cause.",
	}
}

func capacityWords(l network.Link, capacity, promise unit.Mbps) (seen, todo Text) {
	return Text{
			IT: fmt.Sprintf("Collegamento %s: la capacità radio è circa %s, sotto i %s garantiti.", named(l), mbps(capacity), mbps(promise)),
			EN: fmt.Sprintf("Link %s: its radio (RF) capacity is about %s, below the %s promised.", named(l), mbps(capacity), mbps(promise)),
		}, Text{
			IT: "Se anche il segnale è basso, partire da quello. Se il segnale è buono, cercare interferenze: rumore più alto, altri sullo stesso canale; provare un altro canale o una larghezza diversa.",
			EN: "If the signal is low too, begin there. If the signal is good, look for interference: higher noise, others on the channel; try another channel or another width.",
		}
}

func unreachableWords(d network.DeviceID, place string, kind fault.Kind, err error) (seen, todo Text) {
	cause := ""
	if err != nil {
		cause = " (" + err.Error() + ")"
	}
	if kind == fault.Denied || kind == fault.Refused {
		return Text{
				IT: fmt.Sprintf("L'apparato %s risponde ma rifiuta la lettura%s.", at(d, place), cause),
				EN: fmt.Sprintf("The device %s answers but refuses to be read%s.", at(d, place), cause),
			}, Text{
				IT: "Controllare utente e password dell'apparato e i permessi di quell'utente.",
				EN: "Check the user and password for the device, and what that user may do.",
			}
	}
	return Text{
			IT: fmt.Sprintf("L'apparato %s non risponde%s.", at(d, place), cause),
			EN: fmt.Sprintf("The device %s does not answer%s.", at(d, place), cause),
		}, Text{
			IT: "Se tacciono anche altri apparati dello stesso sito, controllare l'alimentazione del sito o il collegamento che lo serve; se tace solo questo, il suo cavo e il suo alimentatore. Il traffico può ancora passare.",
			EN: "If other devices of the site are silent too, check the power of the site or the link that serves it; if only this one is, its cable and its power supply. Traffic may still pass.",
		}
}

func rebootWords(d network.DeviceID, place string, up time.Duration) (seen, todo Text) {
	up = up.Round(time.Second)
	return Text{
			IT: fmt.Sprintf("L'apparato %s si è riavviato: è acceso da %v.", at(d, place), up),
			EN: fmt.Sprintf("The device %s has rebooted: it has been up for %v.", at(d, place), up),
		}, Text{
			IT: "Niente da fare se il riavvio era voluto. Se si ripete, controllare l'alimentazione e il cavo.",
			EN: "Nothing to do if someone meant it. If it happens again, check the power supply and the cable.",
		}
}

func ethernetWords(d network.DeviceID, place, port string, rate, best unit.Mbps) (seen, todo Text) {
	return Text{
			IT: fmt.Sprintf("Apparato %s: la porta %s è scesa a %s; prima era %s.", at(d, place), port, mbps(rate), mbps(best)),
			EN: fmt.Sprintf("Device %s: port %s runs at %s; it should be %s.", at(d, place), port, mbps(rate), mbps(best)),
		}, Text{
			IT: "Quasi sempre è il cavo: controllare i connettori esposti, la guaina sul traliccio e la protezione da sovratensioni.",
			EN: "It is nearly always the cable: check the connectors outside, the jacket along the mast and the surge protector.",
		}
}
