package controller

import (
	"context"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// poll is what one read of a device gave.
type poll struct {
	device      network.DeviceID
	at          time.Time
	observation *network.Observation // nil when err is set
	err         error
}

// poller reads each device on its own clock. A read holds one of the workers
// while it works; one that only waits gives it back after the patience, so a
// silent device keeps nothing from the others but a goroutine and a socket.
// Devices whose last read failed, or outlasted the patience, queue for workers
// of their own, which they keep for a tenth of the patience only.
type poller struct {
	cfg      Config
	observer Observer
	log      *slog.Logger
	out      chan<- poll
	quick    chan struct{} // workers for devices that answer
	slow     chan struct{} // workers for devices that did not, or slowly
}

func newPoller(cfg Config, observer Observer, log *slog.Logger, out chan<- poll) *poller {
	return &poller{cfg, observer, log, out, make(chan struct{}, cfg.Workers), make(chan struct{}, cfg.Workers)}
}

// run polls until ctx ends, and returns when every read has.
func (p *poller) run(ctx context.Context, devices []network.DeviceID) {
	var wg sync.WaitGroup
	for _, d := range devices {
		wg.Go(func() { p.watch(ctx, d) })
	}
	wg.Wait()
}

// phase spreads the devices evenly and the same at each start.
func (p *poller) phase(d network.DeviceID) time.Duration {
	if p.cfg.Spread == 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(d))
	return time.Duration(h.Sum64() % uint64(p.cfg.Spread))
}

// watch reads one device again and again.
func (p *poller) watch(ctx context.Context, d network.DeviceID) {
	next := time.Now().Add(p.phase(d))
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	r := reader{poller: p, device: d}
	defer r.wait()
	var failing trouble
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		res, ok := r.read(ctx)
		if !ok {
			return
		}
		if failing.note(res.err, res.at) {
			p.tell(d, res, failing)
		}
		select {
		case p.out <- res:
		case <-ctx.Done():
			return
		}
		for next = next.Add(p.cfg.Interval); time.Until(next) < 0; {
			next = next.Add(p.cfg.Interval)
		}
		timer.Reset(time.Until(next))
	}
}

// tell logs one line when trouble begins and one when it ends.
func (p *poller) tell(d network.DeviceID, res poll, t trouble) {
	switch {
	case fault.Of(res.err) == fault.Invalid:
		p.log.Warn("device is not read", "device", d, "err", res.err)
		return
	case res.err != nil:
		p.log.Warn("device does not answer", "device", d, "err", res.err)
		return
	}
	p.log.Info("device answers again", "device", d, "after_s", int(res.at.Sub(t.began).Seconds()), "failed_reads", t.last)
}

// reader does the reads of one device, never two at once.
type reader struct {
	*poller
	device  network.DeviceID
	pending chan poll // a read that outlived its deadline
	suspect bool      // the last read failed or was slow
}

// read gives the result of one read, or an error after the deadline. It is
// false when ctx ended.
func (r *reader) read(ctx context.Context) (poll, bool) {
	if r.pending != nil {
		select {
		case <-r.pending:
			r.pending = nil
		default:
			return r.failure(fault.New(fault.Unreachable, "%s: a read of %v ago has not ended", r.device, r.cfg.Interval)), true
		}
	}
	lane, patience := r.quick, r.cfg.Patience
	if r.suspect {
		lane, patience = r.slow, patience/10
	}
	select {
	case lane <- struct{}{}:
	case <-ctx.Done():
		return poll{}, false
	}
	giveBack := time.AfterFunc(patience, func() { <-lane })
	began := time.Now()
	r.suspect = true
	defer func() {
		if giveBack.Stop() {
			<-lane
		}
	}()

	cause := fault.New(fault.Unreachable, "%s: no answer in %v", r.device, r.cfg.Deadline)
	dctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Deadline, cause)
	done := make(chan poll, 1)
	go func() {
		defer cancel()
		o, err := r.observer.Observe(dctx, r.device)
		if err != nil {
			done <- r.failure(err)
			return
		}
		now := time.Now()
		if o.At.IsZero() {
			o.At = now
		}
		o.Device = r.device
		done <- poll{device: r.device, at: now, observation: &o}
	}()
	select {
	case res := <-done:
		if res.err != nil && ctx.Err() != nil {
			return poll{}, false
		}
		r.suspect = res.err != nil || time.Since(began) > r.cfg.Patience
		return res, true
	case <-dctx.Done():
	}
	// The read has its deadline behind it, or has just ended: a driver that
	// obeys is given a moment to say what it was doing.
	grace := time.NewTimer(100 * time.Millisecond)
	defer grace.Stop()
	select {
	case res := <-done:
		if ctx.Err() != nil && res.err != nil {
			return poll{}, false
		}
		return res, true
	case <-grace.C:
	}
	r.pending = done
	if ctx.Err() != nil {
		return poll{}, false
	}
	return r.failure(cause), true
}

func (r *reader) failure(err error) poll {
	return poll{device: r.device, at: time.Now(), err: err}
}

// wait lets a read that outlived its deadline end, for as long again.
func (r *reader) wait() {
	if r.pending == nil {
		return
	}
	t := time.NewTimer(r.cfg.Deadline)
	defer t.Stop()
	select {
	case <-r.pending:
	case <-t.C:
		r.log.Warn("a read does not end with the program", "device", r.device)
	}
}

// trouble counts failures in a row and says when a line is due.
type trouble struct {
	began time.Time
	count int // failures so far, 0 while well
	last  int // failures of the spell that just ended
}

// note is true when trouble has just begun or just ended.
func (t *trouble) note(err error, now time.Time) bool {
	switch {
	case err == nil && t.count == 0:
		return false
	case err == nil:
		t.last, t.count = t.count, 0
		return true
	case t.count == 0:
		t.began = now
	}
	t.count++
	return t.count == 1
}
