package routeros_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ros "github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/sim"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

// releases are the versions that differ in what the driver meets: two of 6,
// the wifi menus under their old and their new name.
var releases = []string{"6.42.1 (stable)", "6.49.18 (long-term)", "7.12.1 (stable)", "7.18.2 (stable)"}

// ofRelease gives all devices that can have it the release.
func ofRelease(n *network.Network, release string) map[network.DeviceID]string {
	versions := map[network.DeviceID]string{}
	for _, d := range n.Devices {
		if d.Gear != "ax" || release[0] == '7' {
			versions[d.ID] = release
		}
	}
	return versions
}

// printed is all that a device keeps of what a change may touch, as it tells
// it to a client that is not ours; "" once where it does not answer.
func printed(book radio.Book, id network.DeviceID) (string, error) {
	t, err := book(context.Background(), id)
	if err != nil {
		return "", err
	}
	c, err := ros.DialTimeout(t.Address, t.User, t.Password, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	var all []string
	for _, menu := range []string{"/system/identity", "/interface/wireless", "/interface/wifi", "/interface/wifiwave2", "/interface/w60g", "/interface", "/ip/address", "/system/scheduler"} {
		reply, err := c.Run(menu+"/print", "=.proplist=name,default-name,ssid,frequency,channel-width,tx-power,tx-power-mode,comment,disabled,"+
			"configuration.ssid,channel.frequency,channel.width,configuration.tx-power,address,network,interface,on-event,mode,band")
		if err != nil {
			if _, refused := err.(*ros.DeviceError); refused {
				continue
			}
			return "", err
		}
		for _, s := range reply.Re {
			var row []string
			for _, k := range slices.Sorted(maps.Keys(s.Map)) {
				row = append(row, fmt.Sprintf("%s=%q", k, s.Map[k]))
			}
			all = append(all, menu+" "+strings.Join(row, " "))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n"), nil
}

// eventually polls until f says nothing is missing, or fails with what is.
func eventually(t testing.TB, within time.Duration, f func() string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for {
		missing := f()
		if missing == "" {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Error(missing)
			return
		}
	}
}

// is says what keeps a device from printing want.
func is(book radio.Book, id network.DeviceID, want string) func() string {
	return func() string {
		got, err := printed(book, id)
		switch {
		case err != nil:
			return fmt.Sprintf("%s: %v", id, err)
		case got != want:
			return fmt.Sprintf("%s has\n%s\nwant\n%s", id, got, want)
		}
		return ""
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// proposal is a change of every field that the device can change, and of its
// addresses: one more, one less, one with another comment.
func proposal(c network.Configured) []network.Change {
	key := func(s network.Section, name, field string) network.Key {
		return network.Key{Section: s, Name: name, Field: field}
	}
	to := map[network.Key]string{key(network.IdentitySection, "", network.FieldName): "nuovo \"nome\" è $così [find]"}
	if len(c.Radios) > 0 {
		first := c.Radios[0]
		to[key(network.RadioSection, first, network.FieldSSID)] = "altra rete \xe8 ;}"
		to[key(network.RadioSection, first, network.FieldComment)] = "verso il crinale\n2"
		to[key(network.RadioSection, first, network.FieldFreq)] = "5680"
		if c.Driver == "w60g" {
			to[key(network.RadioSection, first, network.FieldFreq)] = "60480"
		} else {
			to[key(network.RadioSection, first, network.FieldWidth)] = "80"
			to[key(network.RadioSection, first, network.FieldTxPower)] = "7"
		}
	}
	var out []network.Change
	add := func(k network.Key, to *string) {
		change := network.Change{Key: k, To: to}
		if v, ok := c.Values[k]; ok {
			change.From = &v
		}
		out = append(out, change)
	}
	for k, v := range to {
		add(k, &v)
	}
	port := "bridge1"
	add(key(network.AddressSection, "10.99.0.1/24", network.FieldInterface), &port)
	comment := "prova"
	add(key(network.AddressSection, "10.99.0.1/24", network.FieldComment), &comment)
	for k := range c.Values {
		if k.Section == network.AddressSection && k.Field == network.FieldInterface {
			add(k, nil)
			if _, ok := c.Values[key(k.Section, k.Name, network.FieldComment)]; ok {
				add(key(k.Section, k.Name, network.FieldComment), nil)
			}
		}
	}
	slices.SortFunc(out, func(a, b network.Change) int { return network.CompareKeys(a.Key, b.Key) })
	return out
}

// after is what a device should tell when the changes are made.
func after(c network.Configured, changes []network.Change) map[network.Key]string {
	want := maps.Clone(c.Values)
	for _, x := range changes {
		delete(want, x.Key)
		if x.To != nil {
			want[x.Key] = *x.To
		}
	}
	return want
}

// TestConfiguredOfTheDemo: what the devices tell is what the files say.
func TestConfiguredOfTheDemo(t *testing.T) {
	n, err := demo.Network()
	if err != nil {
		t.Fatal(err)
	}
	_, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	drivers := map[string]int{}
	for _, d := range n.Devices {
		c, err := f.Configured(t.Context(), d.ID)
		if err != nil {
			t.Error(err)
			continue
		}
		drivers[c.Driver]++
		if c.Device != d.ID || c.Version == "" || time.Since(c.At) > time.Minute {
			t.Errorf("%+v", c)
		}
		want := map[network.Key]string{{Section: network.IdentitySection, Field: "name"}: string(d.ID)}
		if !n.IsRadio(d) {
			if len(c.Radios) != 0 || c.Driver != "router" {
				t.Errorf("%s: %s with radios %v", d.ID, c.Driver, c.Radios)
			}
		} else {
			if len(c.Radios) == 0 || c.Driver != n.Gear[d.Gear].Class {
				t.Errorf("%s: %s with radios %v, the files say %s", d.ID, c.Driver, c.Radios, n.Gear[d.Gear].Class)
				continue
			}
			s, first := d.Settings, func(field string) network.Key {
				return network.Key{Section: network.RadioSection, Name: c.Radios[0], Field: field}
			}
			want[first("ssid")] = s.SSID
			want[first("freq_mhz")] = plain(float64(s.Freq.Or(0)))
			want[first("width_mhz")] = plain(float64(s.Width.Or(0)))
			if p, ok := s.TxPower.Get(); ok && c.Driver != "w60g" {
				want[first("tx_power_dbm")] = plain(math.Floor(float64(p)))
			}
		}
		want[network.Key{Section: network.AddressSection, Name: d.Address + "/16", Field: "interface"}] = "bridge1"
		for k, v := range want {
			if c.Values[k] != v {
				t.Errorf("%s: %s is %q, the files say %q", d.ID, k, c.Values[k], v)
			}
		}
	}
	for _, k := range []string{"wireless", "wifi", "w60g", "router"} {
		if drivers[k] == 0 {
			t.Errorf("no device of the driver %s was read", k)
		}
	}
}

// TestEveryDriverAndVersion goes through the whole of a change on every kind of
// device: undone at once, undone by the device itself with nobody asking,
// confirmed. Whenever it goes back it tells the same as before, byte for byte.
func TestEveryDriverAndVersion(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		t.Run(strings.Fields(release)[0], func(t *testing.T) {
			t.Parallel()
			n := pairs()
			_, book := simulated(t, n, ofRelease(n, release))
			f := fleet(t, book, nil)
			var wg sync.WaitGroup
			for _, d := range n.Devices {
				if d.Gear == "ax" && release[0] == '6' {
					continue
				}
				wg.Go(func() { story(t, f, book, d.ID) })
			}
			wg.Wait()
		})
	}
}

// story is what happens to one device.
func story(t *testing.T, f *radio.Fleet, book radio.Book, id network.DeviceID) {
	fail := func(what string, err error) bool {
		if err != nil {
			t.Errorf("%s: %s: %v", id, what, err)
		}
		return err != nil
	}
	same := func(what string, want map[network.Key]string) bool {
		c, err := f.Configured(t.Context(), id)
		if fail(what, err) {
			return false
		}
		if !maps.Equal(c.Values, want) {
			t.Errorf("%s: %s: it has\n%v\nwant\n%v", id, what, c.Values, want)
		}
		return true
	}
	before, err := printed(book, id)
	if fail("print", err) {
		return
	}
	was, err := f.Configured(t.Context(), id)
	if fail("configured", err) {
		return
	}
	changes := proposal(was)
	want := after(was, changes)
	apply := func(change string, hold time.Duration) bool {
		w, err := f.Arm(t.Context(), id, change, hold, changes)
		if fail("arm", err) {
			return false
		}
		if w.ID != change || w.Device != id || w.Means != "scheduler" || !strings.Contains(w.Script, "remove [find") || w.Left.Or(0) != network.Seconds(hold.Seconds()) {
			t.Errorf("%s: way back %+v", id, w)
		}
		all, err := f.WaysBack(t.Context(), id)
		if !fail("ways back", err) && (len(all) != 1 || all[0].ID != change || all[0].Script != w.Script || !all[0].Left.Known() || all[0].Left.Or(1e9) > w.Left.Or(0)) {
			t.Errorf("%s: ways back %+v", id, all)
		}
		return !fail("write", f.Write(t.Context(), id, changes)) && same("after write", want)
	}

	if !apply("undone-now", time.Minute) {
		return
	}
	if _, err := f.Arm(t.Context(), id, "second", time.Minute, changes); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "undone-now") {
		t.Errorf("%s: a second way back: %v", id, err)
	}
	if fail("undo", f.Undo(t.Context(), id, "undone-now")) {
		return
	}
	if missing := is(book, id, before)(); missing != "" {
		t.Error("after undo: " + missing)
	}
	same("after undo", was.Values)
	if err := f.Undo(t.Context(), id, "undone-now"); fault.Of(err) != fault.NotFound {
		t.Errorf("%s: undo twice: %v", id, err)
	}

	if !apply("left-alone", 8*time.Second) {
		return
	}
	eventually(t, patience, is(book, id, before))
	if err := f.Confirm(t.Context(), id, "left-alone"); fault.Of(err) != fault.NotFound || !strings.Contains(err.Error(), "went back by itself") {
		t.Errorf("%s: confirm after it went back: %v", id, err)
	}

	if !apply("confirmed", 8*time.Second) || fail("confirm", f.Confirm(t.Context(), id, "confirmed")) {
		return
	}
	if all, err := f.WaysBack(t.Context(), id); err != nil || len(all) != 0 {
		t.Errorf("%s: after confirm: %v %+v", id, err, all)
	}
	if err := f.Confirm(t.Context(), id, "confirmed"); fault.Of(err) != fault.NotFound {
		t.Errorf("%s: confirm twice: %v", id, err)
	}
	same("after confirm", want)

	// The inverse, as a change of its own, brings back what was.
	reverse := make([]network.Change, len(changes))
	for i, c := range changes {
		reverse[i] = c.Reverse()
	}
	if _, err := f.Arm(t.Context(), id, "reverse", time.Minute, reverse); fail("arm the reverse", err) {
		return
	}
	if fail("write the reverse", f.Write(t.Context(), id, reverse)) || fail("confirm the reverse", f.Confirm(t.Context(), id, "reverse")) {
		return
	}
	same("after the reverse", was.Values)
}

// frequencyOf is one change of an access point of the old driver.
func retune(t *testing.T, f *radio.Fleet, id network.DeviceID, to string) []network.Change {
	t.Helper()
	c := must[network.Configured](t)(f.Configured(t.Context(), id))
	k := network.Key{Section: network.RadioSection, Name: c.Radios[0], Field: network.FieldFreq}
	from := c.Values[k]
	return []network.Change{{Key: k, From: &from, To: &to}}
}

// TestNoWayBack: a device that refuses the scheduler, or takes the entry and
// would never run it, is not changed and keeps nothing of it.
func TestNoWayBack(t *testing.T) {
	n := pairs()
	s, book := simulated(t, n, ofRelease(n, "7.18.2 (stable)"))
	f := fleet(t, book, nil)
	changes := retune(t, f, "ac-a", "5680")
	for _, tt := range []struct {
		kind sim.Kind
		text string
	}{{sim.RefuseScheduler, "not allowed by device-mode"}, {sim.DeafScheduler, "keeps it inactive"}} {
		before := must[string](t)(printed(book, "ac-a"))
		id := must[string](t)(s.Inject(sim.Fault{Device: "ac-a", Kind: tt.kind}))
		_, err := f.Arm(t.Context(), "ac-a", "c1", time.Minute, changes)
		if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), "scheduler=yes") {
			t.Errorf("%s: %v", tt.kind, err)
		}
		if err := f.Write(t.Context(), "ac-a", changes); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "no way back is armed") {
			t.Errorf("%s: write all the same: %v", tt.kind, err)
		}
		if err := s.Clear(id); err != nil {
			t.Fatal(err)
		}
		if missing := is(book, "ac-a", before)(); missing != "" {
			t.Errorf("%s: %s", tt.kind, missing)
		}
	}
}

// TestClock1970: the hold is kept by a device that does not know the time, also
// when it learns it in mid-hold.
func TestClock1970(t *testing.T) {
	t.Parallel()
	n := pairs()
	s, book := simulated(t, n, ofRelease(n, "6.49.18 (long-term)"))
	f := fleet(t, book, nil)
	id := must[string](t)(s.Inject(sim.Fault{Device: "ac-a", Kind: sim.Clock1970}))
	before := must[string](t)(printed(book, "ac-a"))
	changes := retune(t, f, "ac-a", "5680")
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "c1", 6*time.Second, changes))
	if err := f.Write(t.Context(), "ac-a", changes); err != nil {
		t.Fatal(err)
	}
	all := must[[]network.WayBack](t)(f.WaysBack(t.Context(), "ac-a"))
	if len(all) != 1 || !all[0].Left.Known() || all[0].Left.Or(99) > 6 {
		t.Errorf("%+v", all)
	}
	if err := s.Clear(id); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, is(book, "ac-a", before))
}

// TestChangedByHand between the reading of the differences and the change, and
// between the arming and the writing.
func TestChangedByHand(t *testing.T) {
	n := pairs()
	s, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	changes := retune(t, f, "ac-a", "5680")
	byHand := func(mhz string) {
		if err := s.Console(t.Context(), "ac-a", `/interface wireless set [find name="wlan1"] frequency=`+mhz); err != nil {
			t.Fatal(err)
		}
	}
	byHand("5620")
	before := must[string](t)(printed(book, "ac-a"))
	_, err := f.Arm(t.Context(), "ac-a", "c1", time.Minute, changes)
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), `changed since the differences were read: radio wlan1 freq_mhz is "5620", not "`+*changes[0].From) {
		t.Error(err)
	}
	if missing := is(book, "ac-a", before)(); missing != "" {
		t.Error(missing)
	}
	byHand(*changes[0].From)
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "c1", time.Minute, changes))
	byHand("5620")
	if err := f.Write(t.Context(), "ac-a", changes); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "changed since the way back was armed") {
		t.Error(err)
	}
	// What nobody asked to change is left alone by the way back.
	if err := s.Console(t.Context(), "ac-a", `/interface wireless set [find name="wlan1"] comment="a mano"`); err != nil {
		t.Fatal(err)
	}
	if err := f.Undo(t.Context(), "ac-a", "c1"); err != nil {
		t.Fatal(err)
	}
	c := must[network.Configured](t)(f.Configured(t.Context(), "ac-a"))
	if c.Values[changes[0].Key] != *changes[0].From || c.Values[network.Key{Section: network.RadioSection, Name: "wlan1", Field: "comment"}] != "a mano" {
		t.Errorf("%v", c.Values)
	}
}

// TestRefusedValue: the device refuses one item; what was written before it
// goes back.
func TestRefusedValue(t *testing.T) {
	n := pairs()
	_, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	before := must[string](t)(printed(book, "ac-a"))
	changes := retune(t, f, "ac-a", "99")
	name, nuovo := "ac-a", "nuovo"
	changes = append(changes, network.Change{Key: network.Key{Section: network.IdentitySection, Field: "name"}, From: &name, To: &nuovo})
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "c1", time.Minute, changes))
	err := f.Write(t.Context(), "ac-a", changes)
	if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "write radio wlan1 (freq_mhz)") {
		t.Error(err)
	}
	if c := must[network.Configured](t)(f.Configured(t.Context(), "ac-a")); c.Values[changes[1].Key] != "nuovo" {
		t.Error("the identity, which comes first, was not written")
	}
	if err := f.Undo(t.Context(), "ac-a", "c1"); err != nil {
		t.Fatal(err)
	}
	if missing := is(book, "ac-a", before)(); missing != "" {
		t.Error(missing)
	}
}
