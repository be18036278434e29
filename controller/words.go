package controller

import (
	"errors"
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

// unreadWords say why a device is not read; the advice follows the kind of the
// error, as Observer names them.
func unreadWords(d network.DeviceID, place string, err error) (seen, todo Text) {
	why := cause(d, err)
	told := func(it, en string) Text {
		if why != "" {
			it, en = it+" ("+why+")", en+" ("+why+")"
		}
		return Text{IT: it + ".", EN: en + "."}
	}
	who := at(d, place)
	var odd interface{ Foreign() bool }
	if errors.As(err, &odd) && odd.Foreign() {
		return told(fmt.Sprintf("All'indirizzo dell'apparato %s risponde qualcosa che non è l'API di RouterOS", who),
				fmt.Sprintf("The address of the device %s answers something that is no RouterOS API", who)), Text{
				IT: "Controllare che l'indirizzo e la porta dell'apparato nei file di rete siano giusti; se lo sono, il suo servizio API. Il traffico può ancora passare.",
				EN: "Check that the address and port of the device in the network files are right; if they are, its API service. Traffic may still pass.",
			}
	}
	switch fault.Of(err) {
	case fault.Invalid:
		return told(fmt.Sprintf("L'apparato %s non viene letto: il suo account o il suo indirizzo manca o non è valido", who),
				fmt.Sprintf("The device %s is not read: its account or its address is missing or not valid", who)), Text{
				IT: "Aggiungere il suo account, o uno predefinito, al file indicato in radio.credentials_file; controllare il suo indirizzo nei file di rete; poi riavviare. Nessuno ha interrogato l'apparato, che può funzionare bene.",
				EN: "Add its account, or a default, to the file named in radio.credentials_file; check its address in the network files; then restart. Nobody asked the device, which may well work.",
			}
	case fault.Denied, fault.Refused:
		return told(fmt.Sprintf("L'apparato %s risponde ma non si può leggere", who),
				fmt.Sprintf("The device %s answers but cannot be read", who)), Text{
				IT: "Controllare utente e password dell'apparato, i permessi di quell'utente e il certificato. Se il certificato è stato rinnovato, scrivere la nuova impronta (pin) accanto all'account; se nessuno l'ha cambiato, capire prima chi risponde a quell'indirizzo.",
				EN: "Check the user and password for the device, the rights of that user, and the certificate. If the certificate was renewed, write the new pin beside the account; if nobody changed it, find out first who answers at that address.",
			}
	case fault.Unreachable:
		return told(fmt.Sprintf("L'apparato %s non risponde", who),
				fmt.Sprintf("The device %s does not answer", who)), Text{
				IT: "Se tacciono anche altri apparati dello stesso sito, controllare l'alimentazione del sito o il collegamento che lo serve; se tace solo questo, il suo cavo, il suo alimentatore e il suo servizio API. Il traffico può ancora passare.",
				EN: "If other devices of the site are silent too, check the power of the site or the link that serves it; if only this one is, its cable, its power supply and its API service. Traffic may still pass.",
			}
	}
	return told(fmt.Sprintf("L'apparato %s non è stato letto", who),
			fmt.Sprintf("The device %s was not read", who)), Text{
			IT: "La causa è tra parentesi; il registro del programma ha l'errore intero. Il traffico può ancora passare.",
			EN: "The cause stands in brackets; the log of the program has the whole error. Traffic may still pass.",
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
