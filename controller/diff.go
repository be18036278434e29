package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

func nothingPlanned(*network.Network, network.LinkID) Planned { return Planned{} }

// Diff reads the settings of devices, all at the same time, and compares them
// with the files. nil devices: all that have an address; those that are not in
// the files are left alone. A device that cannot be read is told in Unread and
// is no error. fault.Invalid for files with a mistake, and for a device that
// they do not have or give no address.
func (c *Changes) Diff(ctx context.Context, devices []network.DeviceID) (Differences, error) {
	if err := c.running(); err != nil {
		return Differences{}, err
	}
	s, err := c.read(ctx, devices)
	return s.Differences, err
}

// survey is what one round of reading found.
type survey struct {
	Differences
	net    *network.Network
	have   map[network.DeviceID]network.Configured
	agreed map[network.DeviceID]Agreed
}

func (c *Changes) read(ctx context.Context, devices []network.DeviceID) (survey, error) {
	n, err := c.deps.Desired(ctx)
	if err != nil {
		return survey{}, fmt.Errorf("read the network files: %w", err)
	}
	if devices, err = asked(n, devices); err != nil {
		return survey{}, err
	}
	agreed, err := c.journal.agreed(ctx)
	if err != nil {
		return survey{}, err
	}
	s := survey{net: n, have: map[network.DeviceID]network.Configured{}, agreed: agreed,
		Differences: Differences{At: time.Now().UTC(), Devices: []DeviceDifferences{}, Unread: []Unread{}}}
	news := map[network.DeviceID]Agreed{}
	for i, r := range c.configurations(ctx, devices) {
		id := devices[i]
		if err := usable(n, id, r); err != nil {
			s.Unread = append(s.Unread, Unread{id, fault.Of(err).String(), err.Error()})
			continue
		}
		s.have[id] = r.have
		want := Wanted(n, id, r.have)
		s.Devices = append(s.Devices, DeviceDifferences{id, r.have.Driver, r.have.Version, Compare(want, r.have, agreed[id])})
		if a, moved := agreed[id].merge(want, r.have); moved {
			news[id] = a
		}
	}
	s.Digest = digest(s.Devices)
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	c.remember(ctx, s, news)
	return s, nil
}

// asked checks the names of devices, and gives them in the order of the files.
func asked(n *network.Network, devices []network.DeviceID) ([]network.DeviceID, error) {
	for _, id := range devices {
		d, ok := n.Device(id)
		if !ok {
			return nil, fault.New(fault.Invalid, "there is no device %.63q in the network files", string(id))
		}
		if d.Address == "" {
			return nil, fault.New(fault.Invalid, "device %s has no address in the network files: it is planned only, and cannot be asked", id)
		}
	}
	all := watched(n)
	if devices == nil {
		return all, nil
	}
	return slices.DeleteFunc(all, func(id network.DeviceID) bool { return !slices.Contains(devices, id) }), nil
}

// configuration is what one device answered.
type configuration struct {
	have network.Configured
	err  error
}

// configurations reads devices, at most cfg.Readers at a time. Where only few
// give no answer, they are asked once more: a radio link loses a packet, and a
// technician would ask again.
func (c *Changes) configurations(ctx context.Context, devices []network.DeviceID) []configuration {
	out := make([]configuration, len(devices))
	read := func(i int) {
		ctx, cancel := context.WithTimeout(ctx, c.cfg.StepTimeout)
		defer cancel()
		out[i].have, out[i].err = c.deps.Fleet.Configured(ctx, devices[i])
	}
	each(len(devices), c.cfg.Readers, read)
	var silent []int
	for i, r := range out {
		if fault.Of(r.err) == fault.Unreachable {
			silent = append(silent, i)
		}
	}
	if len(silent) <= c.cfg.Readers && ctx.Err() == nil {
		each(len(silent), c.cfg.Readers, func(i int) { read(silent[i]) })
	}
	return out
}

// each runs do for 0 to n-1, at most most at a time, and waits for all.
func each(n, most int, do func(int)) {
	var wg sync.WaitGroup
	turn := make(chan struct{}, most)
	for i := range n {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			do(i)
		})
	}
	wg.Wait()
}

// usable says why what a device answered cannot be compared.
func usable(n *network.Network, id network.DeviceID, r configuration) error {
	if r.err != nil {
		return r.err
	}
	d, _ := n.Device(id)
	s := d.Settings
	wants := s.SSID != "" || s.Freq.Known() || s.Width.Known() || s.TxPower.Known() || s.Comment != ""
	if n.IsRadio(d) && wants && len(r.have.Radios) == 0 {
		return fault.New(fault.Conflict, "device %s shows no radio, and the files give it settings of one: is the gear right, and its wireless package installed?", id)
	}
	return nil
}

// digest is of what differs and how, not of when it was seen or who moved.
func digest(devices []DeviceDifferences) string {
	h := sha256.New()
	for _, d := range devices {
		for _, x := range d.Differences {
			fmt.Fprintf(h, "%q %q %s %s\n", d.Device, x.Key, quoted(x.Have), quoted(x.Want))
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func quoted(s *string) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%q", *s)
}

// remember writes down what devices and files agree on, but for devices in a
// change, whose settings may not stay. Without it a later difference only has
// no mover, so trouble is logged and no more.
func (c *Changes) remember(ctx context.Context, s survey, news map[network.DeviceID]Agreed) {
	if len(news) == 0 {
		return
	}
	err := c.deps.Store.Do(ctx, func(tx *store.Tx) error {
		changing, err := c.journal.changing(ctx, tx, s.At)
		if err != nil {
			return err
		}
		for _, d := range s.Devices {
			if a, ok := news[d.Device]; ok && !changing[d.Device] {
				if err := c.journal.agree(ctx, tx, d.Device, s.have[d.Device].At, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		c.log.Warn("what devices and files agree on cannot be written", "err", err)
	}
}

// listed joins devices for a message.
func listed[S ~string](ids []S) string {
	ss := make([]string, len(ids))
	for i, id := range ids {
		ss[i] = string(id)
	}
	return strings.Join(ss, ", ")
}
