package routeros_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio/routeros"
	"github.com/crinale/crinale/radio/sim"
)

// mobile is a router with an LTE modem.
func mobile() *network.Network {
	n := &network.Network{
		Gear:    map[network.GearID]network.Gear{"rtr": {ID: "rtr", Class: "router"}},
		Sites:   []network.Site{{ID: "ridge", At: geo.LonLat{Lon: 8.10, Lat: 44.50}}, {ID: "valley", At: geo.LonLat{Lon: 8.14, Lat: 44.52}}},
		Devices: []network.Device{{ID: "hall", Site: "ridge", Gear: "rtr"}, {ID: "cell", Site: "valley", Gear: "rtr"}},
		Links:   []network.Link{{ID: "mobile", Medium: network.LTE, A: "cell", B: "hall"}},
	}
	n.Index()
	return n
}

func TestShortMessagesOfARouter(t *testing.T) {
	for _, version := range []string{"6.49.18 (long-term)", "7.18.2 (stable)"} {
		t.Run(strings.Fields(version)[0], func(t *testing.T) {
			f, book := simulated(t, mobile(), map[network.DeviceID]string{"hall": version})
			d, err := routeros.New(routeros.Default(), routeros.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			at, err := book(t.Context(), "hall")
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if err := d.SendSMS(ctx, at, "lte1", "+393331234567", `Passaggi: lun 23/11 ore 7:10? {SI} "NO" =x`); err != nil {
				t.Fatal(err)
			}
			if got, want := f.SentSMS("hall"), []sim.SMS{{Phone: "+393331234567", Text: `Passaggi: lun 23/11 ore 7:10? {SI} "NO" =x`}}; !slices.Equal(got, want) {
				t.Fatalf("sent %v", got)
			}
			if err := d.SendSMS(ctx, at, "ether1", "+393331234567", "x"); fault.Of(err) != fault.Refused {
				t.Errorf("a port without a modem: %v", err)
			}
			for _, bad := range [][3]string{{"", "+39333", "x"}, {"lte1", "", "x"}, {"lte1", "+39333;1", "x"}, {"lte1", "+39333", ""}, {"lte1", "+39333", "è"}, {"lte1", "+39333", "a\nb"}, {"lte1", "+39333", strings.Repeat("x", 161)}} {
				if err := d.SendSMS(ctx, at, bad[0], bad[1], bad[2]); fault.Of(err) != fault.Invalid || err == nil {
					t.Errorf("%q: %v", bad, err)
				}
			}
			if _, err := d.ReceivedSMS(ctx, at); fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "receive-enabled") {
				t.Errorf("a device that does not listen: %v", err)
			}
			if err := f.ReceiveSMS("hall", sim.SMS{Phone: "+393331234567", Text: "SI"}); err == nil {
				t.Error("a device that does not listen took a message")
			}
			if err := f.Console(ctx, "hall", "/tool sms set receive-enabled=yes port=lte1"); err != nil {
				t.Fatal(err)
			}
			for _, m := range []sim.SMS{{Phone: "+393331234567", Text: "S\xec, grazie"}, {Phone: "CASHBACK", Text: "vinca\x00ora"}} {
				if err := f.ReceiveSMS("hall", m); err != nil {
					t.Fatal(err)
				}
			}
			in, err := d.ReceivedSMS(ctx, at)
			if err != nil || len(in) != 2 || in[0].Text != "Sì, grazie" || in[0].Phone != "+393331234567" || in[0].At == "" || in[1].Text != "vinca ora" {
				t.Fatalf("received %+v, %v", in, err)
			}
			for range 2 {
				if err := d.DropSMS(ctx, at, in[0].ID); err != nil {
					t.Fatal(err)
				}
			}
			if left := f.InboxSMS("hall"); len(left) != 1 || left[0].Phone != "CASHBACK" {
				t.Errorf("left %v", left)
			}
		})
	}
}

// TestShortMessageIsNotSentTwice: a device that goes silent at the sending is
// not asked again by itself.
func TestShortMessageIsNotSentTwice(t *testing.T) {
	f, book := simulated(t, mobile(), nil)
	c := routeros.Default()
	c.CommandTimeout = c.CommandTimeout / 8
	d, err := routeros.New(c, routeros.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := book(t.Context(), "hall")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Inject(sim.Fault{Device: "hall", Kind: sim.Silent, AfterWrites: 1}); err != nil {
		t.Fatal(err)
	}
	if err := d.SendSMS(t.Context(), at, "lte1", "+393331234567", "prima"); err != nil {
		t.Fatal(err)
	}
	if err := d.SendSMS(t.Context(), at, "lte1", "+393331234567", "seconda"); fault.Of(err) != fault.Unreachable {
		t.Errorf("a silent device: %v", err)
	}
	if n := len(f.SentSMS("hall")); n != 1 {
		t.Errorf("%d were sent", n)
	}
}
