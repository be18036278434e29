package controller

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// Apply starts a change that makes devices what the files want, and returns
// once it is written down; Change tells how it goes on. All devices of it stay
// as the files want them, or all go back. fault.Conflict: another change has
// one of the devices or a neighbour of it, or Digest no longer fits;
// fault.Invalid: nothing differs, the hold is out of range, or one end of a
// link would change without the other; fault.Unreachable, Denied, Refused: a
// device that was named does not tell its settings, or one at the other end of
// a link, which would be left behind.
func (c *Changes) Apply(ctx context.Context, q ApplyRequest) (ChangeRecord, error) {
	if err := c.running(); err != nil {
		return ChangeRecord{}, err
	}
	hold, err := c.holdOf(q.Hold)
	if err != nil {
		return ChangeRecord{}, err
	}
	s, in, err := c.differing(ctx, q)
	if err != nil {
		return ChangeRecord{}, fmt.Errorf("apply: %w", err)
	}
	far := hops(s.net)
	r := ChangeRecord{
		ID: newChangeID(time.Now()), State: ChangePlanned, Who: audit.By(ctx).Who, Created: time.Now().UTC().Truncate(time.Millisecond),
		HoldS: hold.Seconds(), Manual: q.Manual, Devices: []ChangeDevice{}, Others: []ChangeDevice{}, Links: []LinkBefore{},
	}
	for _, d := range s.Devices {
		if !slices.Contains(in, d.Device) {
			continue
		}
		dev := ChangeDevice{Device: d.Device, State: StepPlanned, Hops: far[d.Device]}
		for _, x := range d.Differences {
			dev.Changes = append(dev.Changes, x.Change())
		}
		r.Devices = append(r.Devices, dev)
	}
	return c.begin(ctx, r, s.net, "")
}

func (c *Changes) holdOf(hold time.Duration) (time.Duration, error) {
	if hold == 0 {
		hold = c.cfg.Hold
	}
	if hold < c.cfg.HoldMin || hold > c.cfg.HoldMax {
		return 0, fault.New(fault.Invalid, "apply: hold %v: give one from %v to %v", hold, c.cfg.HoldMin, c.cfg.HoldMax)
	}
	return hold.Truncate(time.Second), nil
}

// differing reads the devices of a request, and their neighbours where it names
// some, and gives those that differ.
func (c *Changes) differing(ctx context.Context, q ApplyRequest) (survey, []network.DeviceID, error) {
	var read []network.DeviceID // all
	if len(q.Devices) > 0 {
		n, err := c.deps.Desired(ctx)
		if err != nil {
			return survey{}, nil, fmt.Errorf("read the network files: %w", err)
		}
		read = append(slices.Clone(q.Devices), neighbours(n, q.Devices)...)
	}
	s, err := c.read(ctx, read)
	if err != nil {
		return s, nil, err
	}
	for _, u := range s.Unread {
		if slices.Contains(q.Devices, u.Device) {
			return s, nil, fault.New(fault.Named(u.Kind), "%s cannot be changed: %s", u.Device, u.Reason)
		}
	}
	mine := s.Devices
	if len(q.Devices) > 0 {
		mine = slices.DeleteFunc(slices.Clone(s.Devices), func(d DeviceDifferences) bool { return !slices.Contains(q.Devices, d.Device) })
	}
	if now := digest(mine); q.Digest != "" && q.Digest != now {
		return s, nil, fault.New(fault.Conflict, "what differs is not what was shown, as the files or the devices were changed since: look at the differences again")
	}
	var in []network.DeviceID
	for _, d := range mine {
		if len(d.Differences) > 0 {
			in = append(in, d.Device)
		}
	}
	if len(in) == 0 {
		return s, nil, fault.New(fault.Invalid, "nothing differs: the devices are as the files want them")
	}
	if err := parted(s.net, in, s.Devices); err != nil {
		return s, nil, err
	}
	return s, in, leftBehind(s, in)
}

// begin writes a new change down, when no other has its devices, and starts it.
func (c *Changes) begin(ctx context.Context, r ChangeRecord, n *network.Network, of string) (ChangeRecord, error) {
	r.Of = of
	near := neighbours(n, r.ids())
	detail := map[string]string{"devices": listed(r.ids()), "hold_s": plain(r.HoldS), "manual": fmt.Sprint(r.Manual)}
	if of != "" {
		detail["of"] = of
	}
	var out ChangeRecord
	err := c.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		busy, err := c.journal.busy(ctx, tx)
		if err != nil {
			return err
		}
		if err := taken(busy, r.ids(), near); err != nil {
			return err
		}
		out = r.clone()
		if err := c.enter(ctx, tx, &out); err != nil {
			return err
		}
		return c.deps.Audit.Add(ctx, tx, audit.Entry{Action: "change.apply", Object: r.ID, Detail: detail})
	})
	if err != nil {
		if fault.Of(err) == fault.Internal {
			c.log.Error("a change cannot be written into the journal, and is not begun", "err", err)
		}
		return ChangeRecord{}, unwritten(ctx, fault.Refused, "so nothing was changed", err)
	}
	c.launch(newWorker(c, out, n))
	return out, nil
}

// enter writes a new change into the journal.
func (c *Changes) enter(ctx context.Context, tx *store.Tx, r *ChangeRecord) error {
	r.Created, r.Events = tx.Now, []ChangeEvent{}
	var lines []line
	for _, d := range r.Devices {
		var texts []string
		for _, x := range d.Changes {
			texts = append(texts, described(x))
		}
		lines = append(lines, line{d.Device, "planned", strings.Join(texts, "; ")})
	}
	return c.journal.put(ctx, tx, *r, number(r, tx.Now, lines))
}

// taken refuses a change of devices that another change has. A neighbour under
// change is refused too until its hold is over: the link between would tell
// wrong of both.
func taken(busy []busyDevice, in, near []network.DeviceID) error {
	for _, b := range busy {
		since := b.since.UTC().Format("2006-01-02 15:04:05 UTC")
		if slices.Contains(in, b.device) {
			return fault.New(fault.Conflict, "%s is under change %s, begun by %s at %s: wait for its end, or revert it", b.device, b.change, b.who, since)
		}
		if slices.Contains(near, b.device) && !b.changeOver {
			return fault.New(fault.Conflict, "%s, at the other end of a link, is under change %s, begun by %s at %s: wait for its end, or revert it", b.device, b.change, b.who, since)
		}
	}
	return nil
}

// inverse starts the change that takes a confirmed one back.
func (c *Changes) inverse(ctx context.Context, of ChangeRecord) (ChangeRecord, error) {
	n, err := c.deps.Desired(ctx)
	if err != nil {
		return ChangeRecord{}, fmt.Errorf("revert %s: read the network files: %w", of.ID, err)
	}
	r := ChangeRecord{ID: newChangeID(time.Now()), State: ChangePlanned, Who: audit.By(ctx).Who, HoldS: of.HoldS, Manual: of.Manual,
		Devices: []ChangeDevice{}, Others: []ChangeDevice{}, Links: []LinkBefore{}}
	for _, d := range of.Devices {
		if _, ok := n.Device(d.Device); !ok {
			return ChangeRecord{}, fault.New(fault.Conflict, "revert %s: device %s is no longer in the network files", of.ID, d.Device)
		}
		dev := ChangeDevice{Device: d.Device, State: StepPlanned, Hops: d.Hops}
		for _, x := range d.Changes {
			dev.Changes = append(dev.Changes, x.Reverse())
		}
		r.Devices = append(r.Devices, dev)
	}
	r, err = c.begin(ctx, r, asBefore(n, r.Devices), of.ID)
	if err != nil {
		return r, fmt.Errorf("revert %s: %w", of.ID, err)
	}
	return r, nil
}

// asBefore is the network as it is to be after a change that the files do not
// ask for, so that planning speaks of that.
func asBefore(n *network.Network, devices []ChangeDevice) *network.Network {
	back := make([]ChangeDevice, len(devices))
	for i, d := range devices {
		back[i] = ChangeDevice{Device: d.Device}
		for _, x := range d.Changes {
			back[i].Changes = append(back[i].Changes, x.Reverse())
		}
	}
	return former(n, back)
}

// newChangeID is short enough to be typed and sorts by time:
// "20261122-0933-k3fm".
func newChangeID(at time.Time) string {
	return at.UTC().Format("20060102-1504-") + strings.ToLower(rand.Text()[:4])
}
