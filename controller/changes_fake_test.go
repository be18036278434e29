package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/unit"
)

// fakeFleet is a gateway with a device "near" beside it, a device "far" behind
// the radio link of the two, and a device "lone" that answers whatever happens.
// Each holds its way back by itself and goes back on its own clock. far answers
// only while both ends of the link have the same frequency and SSID.
type fakeFleet struct {
	mu      sync.Mutex
	devices map[network.DeviceID]*fakeDevice
	calls   []string // "write near"
	// before and after each call, the lock not held; an error is its answer.
	// after is asked when the thing is done: an answer that was lost.
	before, after func(op string, d network.DeviceID) error
	latency       time.Duration
	signal        unit.DBm // of the link
	loss          unit.DB  // of the link from the next write on
}

type fakeDevice struct {
	values map[network.Key]string
	dead   bool
	way    *fakeWay
	slow   time.Duration
}

type fakeWay struct {
	id   string
	at   time.Time
	hold time.Duration
	back []network.Change
}

var (
	fakeIdentity = network.Key{Section: network.IdentitySection, Field: network.FieldName}
	fakeFreq     = network.Key{Section: network.RadioSection, Name: "wlan1", Field: network.FieldFreq}
	fakeSSID     = network.Key{Section: network.RadioSection, Name: "wlan1", Field: network.FieldSSID}
	fakePower    = network.Key{Section: network.RadioSection, Name: "wlan1", Field: network.FieldTxPower}
)

func newFakeFleet() *fakeFleet {
	f := &fakeFleet{devices: map[network.DeviceID]*fakeDevice{}, latency: 20 * time.Millisecond, signal: -60}
	for _, id := range []network.DeviceID{"near", "far", "lone"} {
		f.devices[id] = &fakeDevice{values: map[network.Key]string{fakeIdentity: string(id), fakeFreq: "5540", fakeSSID: "ridge", fakePower: "10"}}
	}
	return f
}

// fakeNet is what the files want: everything as it is, but for edit.
func fakeNet(edit func(id network.DeviceID, s *network.Settings)) *network.Network {
	n := &network.Network{
		Sites: []network.Site{{ID: "valley"}, {ID: "ridge"}},
		Gear:  map[network.GearID]network.Gear{"dish": {ID: "dish", Class: "wireless"}, "router": {ID: "router", Class: "router"}},
		Devices: []network.Device{
			{ID: "gateway", Site: "valley", Gear: "router"},
			{ID: "near", Site: "valley", Gear: "dish", Address: "10.0.0.1", MAC: "02:00:00:00:00:01"},
			{ID: "far", Site: "ridge", Gear: "dish", Address: "10.0.0.2", MAC: "02:00:00:00:00:02"},
			{ID: "lone", Site: "valley", Gear: "dish", Address: "10.0.0.3", MAC: "02:00:00:00:00:03"},
		},
		Links: []network.Link{
			{ID: "fibre", Medium: network.Fibre, A: "gateway"},
			{ID: "up", Medium: network.Radio, A: "near", B: "far"},
		},
	}
	for i := range n.Devices {
		d := &n.Devices[i]
		if d.Gear == "dish" {
			d.Settings = network.Settings{SSID: "ridge", Freq: unit.Some(unit.MHz(5540)), TxPower: unit.Some(unit.DBm(10))}
		}
		edit(d.ID, &d.Settings)
	}
	n.Index()
	return n
}

// moveBoth wants another frequency at both ends of the link.
func moveBoth(id network.DeviceID, s *network.Settings) {
	if id == "near" || id == "far" {
		s.Freq = unit.Some(unit.MHz(5600))
	}
}

func moveLone(id network.DeviceID, s *network.Settings) {
	if id == "lone" {
		s.Freq = unit.Some(unit.MHz(5600))
	}
}

// settle lets every device do what it has to do by now. The lock is held.
func (f *fakeFleet) settle() {
	for _, d := range f.devices {
		if d.way != nil && !d.dead && !time.Now().Before(d.way.at) {
			d.goBack()
		}
	}
}

func (d *fakeDevice) goBack() {
	for _, c := range d.way.back {
		d.set(c.Key, c.To)
	}
	d.way = nil
}

func (d *fakeDevice) set(k network.Key, v *string) {
	if v == nil {
		delete(d.values, k)
	} else {
		d.values[k] = *v
	}
}

func (f *fakeFleet) linked() bool {
	a, b := f.devices["near"], f.devices["far"]
	return a.values[fakeFreq] == b.values[fakeFreq] && a.values[fakeSSID] == b.values[fakeSSID] && !a.dead && !b.dead
}

func (f *fakeFleet) answers(id network.DeviceID) bool {
	return !f.devices[id].dead && (id != "far" || f.linked())
}

// call does one thing on a device that answers, and answers when it still does.
func (f *fakeFleet) call(ctx context.Context, op string, id network.DeviceID, do func(d *fakeDevice) error) error {
	f.mu.Lock()
	f.calls = append(f.calls, op+" "+string(id))
	d, before, after := f.devices[id], f.before, f.after
	wait := f.latency + d.slow
	f.mu.Unlock()
	if before != nil {
		if err := before(op, id); err != nil {
			return err
		}
	}
	if err := fakePause(ctx, wait); err != nil {
		return fault.New(fault.Unreachable, "%s %s: %w", op, id, err)
	}
	f.mu.Lock()
	f.settle()
	var err error
	silent := !f.answers(id)
	if !silent {
		err = do(d)
		silent = !f.answers(id)
	}
	f.mu.Unlock()
	if silent {
		fakePause(ctx, 9*time.Second)
		return fault.New(fault.Unreachable, "%s %s: no answer", op, id)
	}
	if after != nil && err == nil {
		err = after(op, id)
	}
	return err
}

func fakePause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *fakeFleet) Configured(ctx context.Context, id network.DeviceID) (c network.Configured, err error) {
	err = f.call(ctx, "read", id, func(d *fakeDevice) error {
		c = network.Configured{Device: id, At: time.Now(), Driver: "wireless", Version: "7.18", Radios: []string{"wlan1"}, Values: maps.Clone(d.values)}
		return nil
	})
	return c, err
}

func (f *fakeFleet) Arm(ctx context.Context, id network.DeviceID, change string, hold time.Duration, cs []network.Change) (w network.WayBack, err error) {
	err = f.call(ctx, "arm", id, func(d *fakeDevice) error {
		if d.way != nil {
			return fault.New(fault.Conflict, "crinale-undo-%s is there", d.way.id)
		}
		way := &fakeWay{id: change, at: time.Now().Add(hold), hold: hold}
		for _, c := range cs {
			if !same(value(d.values, c.Key), c.From) {
				return fault.New(fault.Conflict, "changed since the differences were read: %s", c.Key)
			}
			way.back = append(way.back, c.Reverse())
		}
		d.way = way
		w = network.WayBack{ID: change, Device: id, Means: "scheduler"}
		return nil
	})
	return w, err
}

func (f *fakeFleet) Write(ctx context.Context, id network.DeviceID, cs []network.Change) error {
	return f.call(ctx, "write", id, func(d *fakeDevice) error {
		if d.way == nil {
			return fault.New(fault.Conflict, "no way back is armed")
		}
		for _, c := range cs {
			d.set(c.Key, c.To)
		}
		f.signal, f.loss = f.signal.Minus(f.loss), 0
		return nil
	})
}

func (f *fakeFleet) Confirm(ctx context.Context, id network.DeviceID, change string) error {
	return f.call(ctx, "confirm", id, func(d *fakeDevice) error {
		if d.way == nil || d.way.id != change {
			return fault.New(fault.NotFound, "no way back of %s", change)
		}
		d.way = nil
		return nil
	})
}

func (f *fakeFleet) Undo(ctx context.Context, id network.DeviceID, change string) error {
	return f.call(ctx, "undo", id, func(d *fakeDevice) error {
		if d.way == nil || d.way.id != change {
			return fault.New(fault.NotFound, "no way back of %s", change)
		}
		d.goBack()
		return nil
	})
}

func (f *fakeFleet) WaysBack(ctx context.Context, id network.DeviceID) (ws []network.WayBack, err error) {
	err = f.call(ctx, "ways", id, func(d *fakeDevice) error {
		if d.way != nil {
			ws = append(ws, network.WayBack{ID: d.way.id, Device: id, Means: "scheduler"})
		}
		return nil
	})
	return ws, err
}

func (f *fakeFleet) Observe(ctx context.Context, id network.DeviceID) (o network.Observation, err error) {
	err = f.call(ctx, "observe", id, func(d *fakeDevice) error {
		o = network.Observation{Device: id, At: time.Now()}
		if id != "lone" && f.linked() {
			mac := "02:00:00:00:00:02"
			if id == "far" {
				mac = "02:00:00:00:00:01"
			}
			o.Peers = []network.Peer{{Interface: "wlan1", MAC: mac, Signal: unit.Some(f.signal)}}
		}
		return nil
	})
	return o, err
}

// on sets what is asked before and after each call.
func (f *fakeFleet) on(before, after func(op string, d network.DeviceID) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *fakeFleet) did(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

// freqs are the frequencies of devices now, with "*" where a way back is held.
func (f *fakeFleet) freqs(ids ...network.DeviceID) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle()
	out := ""
	for _, id := range ids {
		out += " " + f.devices[id].values[fakeFreq]
		if f.devices[id].way != nil {
			out += "*"
		}
	}
	return out[1:]
}

func (f *fakeFleet) edit(id network.DeviceID, do func(*fakeDevice)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle()
	do(f.devices[id])
}

// bench is an engine over a store and a fake fleet.
type bench struct {
	t     *testing.T
	c     *Changes
	fleet *fakeFleet
	audit *audit.Log
	net   atomic.Pointer[network.Network] // the files
	stop  context.CancelFunc
	ended chan error
}

func newAudit(t *testing.T, db *store.DB) *audit.Log {
	t.Helper()
	l, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// run starts an engine and waits until it is ready; set may change its ways.
func run(t *testing.T, db *store.DB, l *audit.Log, f *fakeFleet, n *network.Network, set func(*Changes, context.CancelFunc)) *bench {
	t.Helper()
	b := &bench{t: t, fleet: f, audit: l, ended: make(chan error, 1)}
	b.net.Store(n)
	var err error
	b.c, err = NewChanges(DefaultChanges(), ChangesDeps{
		Store: db, Audit: l, Fleet: f, Observe: f.Observe,
		Desired: func(context.Context) (*network.Network, error) { return b.net.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	if set != nil {
		set(b.c, stop)
	}
	go func() { b.ended <- b.c.Run(ctx) }()
	t.Cleanup(b.close)
	select {
	case <-b.c.Ready():
	case err := <-b.ended:
		b.ended <- err
		t.Fatalf("the engine ended at once: %v", err)
	}
	return b
}

// close ends the engine without a farewell and waits until it is gone.
func (b *bench) close() {
	b.stop()
	if b.ended != nil {
		if err := <-b.ended; err != nil && !errors.Is(err, context.Canceled) {
			b.t.Errorf("run: %v", err)
		}
		b.ended = nil
	}
}

// end waits for a change to end, and for those that follow it, and gives it.
func (b *bench) end(id string) ChangeRecord {
	b.t.Helper()
	for wait := time.Second; wait < time.Hour; wait += wait / 8 {
		time.Sleep(wait)
		r, err := b.c.Change(b.t.Context(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if r.State.Ended() {
			return r
		}
	}
	b.t.Fatalf("change %s does not end", id)
	return ChangeRecord{}
}

// quiet waits until no change is under way, and gives all, the oldest first.
func (b *bench) quiet() []ChangeRecord {
	b.t.Helper()
	for wait := time.Second; wait < time.Hour; wait += wait / 8 {
		time.Sleep(wait)
		all, err := b.c.History(b.t.Context(), HistoryQuery{})
		if err != nil {
			b.t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(r ChangeRecord) bool { return !r.State.Ended() }) {
			slices.Reverse(all)
			return all
		}
	}
	b.t.Fatal("changes do not end")
	return nil
}

// until waits until a change is in a state.
func (b *bench) until(id string, s ChangeState) ChangeRecord {
	b.t.Helper()
	for limit := time.Now().Add(time.Hour); time.Now().Before(limit); time.Sleep(100 * time.Millisecond) {
		r, err := b.c.Change(b.t.Context(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if r.State == s {
			return r
		}
		if r.State.Ended() {
			b.t.Fatalf("change %s is %s, not %s: %s", id, r.State, s, r.Outcome)
		}
	}
	b.t.Fatalf("change %s does not become %s", id, s)
	return ChangeRecord{}
}

func (b *bench) apply(q ApplyRequest) ChangeRecord {
	b.t.Helper()
	r, err := b.c.Apply(audit.With(b.t.Context(), audit.Actor{Who: "tecnica", Via: "session"}), q)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func told(r ChangeRecord) string {
	out := fmt.Sprintf("%s %s (%s) of %q repair %d: %s\n", r.ID, r.State, r.Cause, r.Of, r.Repair, r.Outcome)
	for _, d := range r.Devices {
		out += fmt.Sprintf("  %s %s %s\n", d.Device, d.State, d.Error)
	}
	for _, e := range r.Events {
		out += fmt.Sprintf("  %2d %s %s %s %s\n", e.Seq, e.At.Format("15:04:05.000"), e.Device, e.Step, e.Text)
	}
	return out
}
