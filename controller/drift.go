package controller

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// watchDrift reads the settings of all devices from time to time, and tells
// when one was changed by hand and when it is as the files want it again.
func (c *Changes) watchDrift(ctx context.Context) {
	t := time.NewTicker(c.cfg.DriftEvery)
	defer t.Stop()
	known := map[network.DeviceID]bool{}
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		d, err := c.Diff(ctx, nil)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if !failing {
				c.log.Error("devices cannot be compared with the files", "err", err)
			}
			failing = true
			continue
		}
		failing = false
		known = c.tellDrift(known, d)
	}
}

// tellDrift logs what is new, and keeps the differences.
func (c *Changes) tellDrift(known map[network.DeviceID]bool, d Differences) map[network.DeviceID]bool {
	now := map[network.DeviceID]bool{}
	for _, dev := range d.Devices {
		if slices.ContainsFunc(dev.Differences, Difference.moved) {
			now[dev.Device] = true
			if !known[dev.Device] {
				c.log.Warn("device was changed by hand", "device", dev.Device, "settings", len(dev.Differences))
			}
		} else if known[dev.Device] {
			c.log.Info("device is no longer changed by hand", "device", dev.Device)
		}
	}
	for _, u := range d.Unread { // nothing new of those
		if known[u.Device] {
			now[u.Device] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drift, c.figures.Drifted, c.figures.Unread = d, len(now), len(d.Unread)
	return now
}

func (d Difference) moved() bool { return d.Kind == DeviceMoved || d.Kind == BothMoved }

// Drift is what the last round of reading all devices found; false before the
// first.
func (c *Changes) Drift() (Differences, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drift, !c.drift.At.IsZero()
}
