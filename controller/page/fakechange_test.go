package page_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// changer keeps changes and moves them as it is told. It checks what the real
// one checks of a request, so that the pages meet its errors.
type changer struct {
	mu      sync.Mutex
	diff    controller.Differences
	recs    []controller.ChangeRecord // the newest first
	applied []controller.ApplyRequest
	drift   *controller.Differences
	asked   [][]network.DeviceID // by Diff
	err     error                // of everything, when set
}

func ptr[T any](v T) *T { return &v }

func radioKey(field string) network.Key {
	return network.Key{Section: network.RadioSection, Name: "wlan1", Field: field}
}

// newChanger has differences of every kind, and a change in every state.
func newChanger() *changer {
	freq := network.Change{Key: radioKey(network.FieldFreq), From: ptr("5500"), To: ptr("5540")}
	c := &changer{diff: controller.Differences{
		At: now.Add(-3 * time.Minute), Digest: "d1",
		Devices: []controller.DeviceDifferences{
			{Device: "mombarcaro-est", Driver: "wireless", Version: "6.49.10", Differences: []controller.Difference{
				{Key: radioKey(network.FieldFreq), Have: ptr("5500"), Want: ptr("5540"), Kind: controller.FilesMoved},
				{Key: radioKey(network.FieldSSID), Have: ptr("prova\x00<b>"), Want: ptr("crinale mombarcaro"), Kind: controller.DeviceMoved},
			}},
			{Device: "cortemilia-ovest", Driver: "wifi", Version: "7.18.2", Differences: []controller.Difference{
				{Key: network.Key{Section: network.IdentitySection, Field: network.FieldName}, Have: ptr("MikroTik"), Want: ptr("cortemilia-ovest"), Kind: controller.UnknownMover},
				{Key: network.Key{Section: network.AddressSection, Name: "10.38.0.1/24", Field: network.FieldInterface}, Want: ptr("bridge1"), Kind: controller.BothMoved},
				{Key: radioKey(network.FieldTxPower), Have: ptr("18"), Kind: controller.FilesMoved},
				{Key: radioKey(network.FieldComment), Have: ptr("a very long comment that somebody typed on the mast with cold hands and never shortened afterwards"), Want: ptr(""), Kind: controller.DeviceMoved},
			}},
			{Device: "saliceto-est", Driver: "wireless", Version: "6.49.10", Differences: nil},
		},
		Unread: []controller.Unread{{Device: "bossolasco-est", Kind: "unreachable", Reason: "dial 127.0.0.1:10002: connection refused"}},
	}}
	states := []struct {
		state controller.ChangeState
		cause controller.ChangeCause
		step  controller.DeviceStep
	}{
		{controller.ChangeWaiting, "", controller.StepWritten},
		{controller.ChangeVerifying, "", controller.StepWritten},
		{controller.ChangePlanned, "", controller.StepPlanned},
		{controller.ChangeArming, "", controller.StepArming},
		{controller.ChangeArmed, "", controller.StepArmed},
		{controller.ChangeWriting, "", controller.StepWriting},
		{controller.ChangeWritten, "", controller.StepWritten},
		{controller.ChangeConfirming, "", controller.StepConfirming},
		{controller.ChangeUndoing, controller.CauseAsked, controller.StepUndoing},
		{controller.ChangeConfirmed, "", controller.StepConfirmed},
		{controller.ChangeUndone, controller.CauseRefused, controller.StepUndone},
		{controller.ChangeUndone, controller.CauseUnreachable, controller.StepUntouched},
		{controller.ChangeFellBack, controller.CauseUnconfirmed, controller.StepFellBack},
		{controller.ChangeFellBack, controller.CauseNotVerified, controller.StepReturning},
		{controller.ChangeFailed, controller.CauseInterrupted, controller.StepFailed},
		{controller.ChangeFailed, controller.CauseUnreachable, controller.StepLost},
	}
	for i, s := range states {
		created := now.Add(-time.Duration(i) * 7 * time.Minute)
		rec := controller.ChangeRecord{
			ID: "c" + strconv.Itoa(len(states)-i), State: s.state, Cause: s.cause, Who: "tecnica", Created: created, HoldS: 90, Manual: i%2 == 0,
			Devices: []controller.ChangeDevice{
				{Device: "mombarcaro-est", State: s.step, Changes: []network.Change{freq},
					WayBack: &network.WayBack{ID: "c", Means: "scheduler", Script: ":do { /interface wireless set [find name=\"wlan1\"] frequency=5500 } on-error={}\n/system scheduler remove [find name=\"crinale-undo-c\"]", Left: unit.Some(network.Seconds(70))}},
				{Device: "cortemilia-ovest", State: s.step, Hops: 1, Changes: []network.Change{freq}},
			},
			Links: []controller.LinkBefore{{Link: "mombarcaro-cortemilia", UpA: true, UpB: true}},
			Events: []controller.ChangeEvent{
				{Seq: 1, At: created, Step: "planned", Text: "2 settings of 2 devices"},
				{Seq: 2, At: created.Add(time.Second), Device: "cortemilia-ovest", Step: "arming", Text: "asks the device for its way back"},
			},
		}
		if s.state.Ended() {
			rec.Ended, rec.Outcome = ptr(created.Add(80*time.Second)), "What happened, and what to do about it."
		} else if s.state != controller.ChangePlanned {
			rec.Until = ptr(now.Add(73 * time.Second))
		}
		if s.step == controller.StepLost {
			rec.Devices[0].Error, rec.Of = "read mombarcaro-est: i/o timeout", "c3"
			rec.Repair, rec.After, rec.Others = 2, ptr(now), []controller.ChangeDevice{{Device: "saliceto-est", State: controller.StepConfirmed}}
		}
		c.recs = append(c.recs, rec)
	}
	return c
}

func (c *changer) Diff(_ context.Context, devices []network.DeviceID) (controller.Differences, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, devices)
	if c.err != nil || devices == nil {
		return c.diff, c.err
	}
	d := c.diff
	d.Devices, d.Unread = nil, nil
	for _, id := range devices {
		known := false
		for _, x := range c.diff.Devices {
			if x.Device == id {
				known, d.Devices = true, append(d.Devices, x)
			}
		}
		for _, x := range c.diff.Unread {
			if x.Device == id {
				known, d.Unread = true, append(d.Unread, x)
			}
		}
		if !known {
			return d, fault.New(fault.Invalid, "there is no device %q in the network files", id)
		}
	}
	return d, nil
}

func (c *changer) Apply(_ context.Context, ask controller.ApplyRequest) (controller.ChangeRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return controller.ChangeRecord{}, c.err
	case ask.Digest != "" && ask.Digest != c.diff.Digest:
		return controller.ChangeRecord{}, fault.New(fault.Conflict, "the differences are no longer those that were shown")
	}
	c.applied = append(c.applied, ask)
	rec := controller.ChangeRecord{ID: "c" + strconv.Itoa(len(c.recs)+1), State: controller.ChangePlanned, Who: "tecnica", Created: now, HoldS: ask.Hold.Seconds(), Manual: ask.Manual}
	c.recs = slices.Insert(c.recs, 0, rec)
	return rec, nil
}

func (c *changer) find(id string) (int, error) {
	if i := slices.IndexFunc(c.recs, func(r controller.ChangeRecord) bool { return r.ID == id }); i >= 0 && c.err == nil {
		return i, nil
	}
	if c.err != nil {
		return 0, c.err
	}
	return 0, fault.New(fault.NotFound, "there is no change %q", id)
}

func (c *changer) Confirm(_ context.Context, id string) (controller.ChangeRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, err := c.find(id)
	switch {
	case err != nil:
		return controller.ChangeRecord{}, err
	case c.recs[i].State == controller.ChangeFellBack:
		return c.recs[i], fault.New(fault.Unconfirmed, "change %s: it went back", id)
	}
	c.recs[i].State, c.recs[i].Until, c.recs[i].Ended = controller.ChangeConfirmed, nil, ptr(now)
	return c.recs[i], nil
}

func (c *changer) Revert(_ context.Context, id string) (controller.ChangeRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, err := c.find(id)
	if err != nil {
		return controller.ChangeRecord{}, err
	}
	if c.recs[i].State == controller.ChangeConfirmed {
		rec := c.recs[i]
		rec.ID, rec.Of, rec.State, rec.Ended = "c"+strconv.Itoa(len(c.recs)+1), id, controller.ChangePlanned, nil
		c.recs = slices.Insert(c.recs, 0, rec)
		return rec, nil
	}
	c.recs[i].State, c.recs[i].Cause = controller.ChangeUndoing, controller.CauseAsked
	return c.recs[i], nil
}

func (c *changer) Change(_ context.Context, id string) (controller.ChangeRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, err := c.find(id)
	if err != nil {
		return controller.ChangeRecord{}, err
	}
	return c.recs[i], nil
}

func (c *changer) History(_ context.Context, ask controller.HistoryQuery) ([]controller.ChangeRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := 0
	if ask.Before != "" {
		i, err := c.find(ask.Before)
		if err != nil {
			return nil, err
		}
		from = i + 1
	}
	var out []controller.ChangeRecord
	for _, r := range c.recs[from:] {
		has := ask.Device == "" || slices.ContainsFunc(r.Devices, func(d controller.ChangeDevice) bool { return d.Device == ask.Device })
		if has && len(out) < ask.Limit {
			r.Events = nil
			out = append(out, r)
		}
	}
	return out, c.err
}

func (c *changer) Drift() (controller.Differences, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drift == nil {
		return controller.Differences{}, false
	}
	return *c.drift, true
}

// desk lets partners in.
type desk struct {
	in  []network.PartnerID
	err error
}

func (d *desk) List(context.Context) ([]controller.PartnerAccess, error) {
	var out []controller.PartnerAccess
	for _, id := range d.in {
		out = append(out, controller.PartnerAccess{ID: id, Name: "Partner", Added: now, Rotated: now})
	}
	return out, d.err
}

func (d *desk) Add(_ context.Context, id network.PartnerID) (controller.PartnerLogin, error) {
	switch {
	case d.err != nil:
		return controller.PartnerLogin{}, d.err
	case id == "":
		return controller.PartnerLogin{}, fault.New(fault.Invalid, "%q is not a name", id)
	case slices.Contains(d.in, id):
		return controller.PartnerLogin{}, fault.New(fault.Conflict, "add partner %s: it has access already", id)
	}
	d.in = append(d.in, id)
	return controller.PartnerLogin{ID: id, User: string(id), Password: "PASSWORD-" + string(id)}, nil
}

func (d *desk) Rotate(_ context.Context, id network.PartnerID) (controller.PartnerLogin, error) {
	if !slices.Contains(d.in, id) {
		return controller.PartnerLogin{}, fault.New(fault.NotFound, "no partner %s", id)
	}
	return controller.PartnerLogin{ID: id, User: string(id), Password: "AGAIN-" + string(id)}, nil
}

func (d *desk) Revoke(_ context.Context, id network.PartnerID) error {
	i := slices.Index(d.in, id)
	if i < 0 {
		return fault.New(fault.NotFound, "no partner %s", id)
	}
	d.in = slices.Delete(d.in, i, i+1)
	return nil
}

// halls are the edges of the test.
type halls struct{ in []controller.EdgeAccess }

func (h *halls) List(context.Context) ([]controller.EdgeAccess, error) { return h.in, nil }

func (h *halls) Enrol(_ context.Context, id controller.EdgeID, d network.DeviceID) (controller.EdgeLogin, error) {
	h.in = append(h.in, controller.EdgeAccess{ID: id, Device: d, Added: now})
	return controller.EdgeLogin{ID: id, Device: d, User: id.User(), Password: "PASSWORD-" + string(id)}, nil
}

func (h *halls) Remove(_ context.Context, id controller.EdgeID) error {
	i := slices.IndexFunc(h.in, func(a controller.EdgeAccess) bool { return a.ID == id })
	if i < 0 {
		return fault.New(fault.NotFound, "no edge %s", id)
	}
	h.in = slices.Delete(h.in, i, i+1)
	return nil
}

func (h *halls) Order(_ context.Context, _ controller.EdgeID, kind controller.PurgeKind, what string) ([]controller.EdgeOrdered, error) {
	return []controller.EdgeOrdered{{Edge: h.in[0].ID, EdgeOrder: controller.EdgeOrder{Seq: 1, At: now, Kind: kind, What: what}}}, nil
}

// touch adds a line to the journal of a change.
func (c *changer) touch(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, err := c.find(id); err == nil {
		r := &c.recs[i]
		r.Events = append(slices.Clone(r.Events), controller.ChangeEvent{Seq: len(r.Events) + 1, At: now, Step: "waiting", Text: "touched"})
	}
}
