package controller

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Whatever fails for a while (calls not made, answers lost, power cut, the
// engine killed again and again), in the end both ends of the link are on one
// side, hold no way back, and the journal says which.
func TestChaosEndsOnOneSide(t *testing.T) {
	ends := map[string]int{}
	for seed := uint64(0); seed < 150; seed += stride {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 7))
			turn := make(chan struct{}, 1)
			roll := func(n int) int { turn <- struct{}{}; defer func() { <-turn }(); return dice.IntN(n) }
			db := storetest.SQLite(t)
			log := newAudit(t, db)
			f := newFakeFleet()
			var trouble atomic.Bool
			f.before = func(op string, id network.DeviceID) error {
				switch x := roll(100); {
				case !trouble.Load():
				case x < 6:
					return errors.New("not made")
				case x < 10:
					f.edit(id, func(d *fakeDevice) { d.dead = true })
				}
				return nil
			}
			f.after = func(op string, id network.DeviceID) error {
				if trouble.Load() && roll(100) < 6 {
					return errors.New("answer lost")
				}
				return nil
			}
			b := run(t, db, log, f, fakeNet(moveBoth), nil)
			// Apply needs an answer of both; the trouble is for what follows.
			r := b.apply(ApplyRequest{Hold: time.Duration(20+roll(100)) * time.Second})
			trouble.Store(true)
			for range 1 + roll(5) {
				time.Sleep(time.Duration(roll(60000)) * time.Millisecond)
				for _, id := range two {
					if roll(2) == 0 { // the power is back
						f.edit(id, func(d *fakeDevice) { d.dead = false })
					}
				}
				if roll(3) == 0 {
					b.close()
					time.Sleep(time.Duration(roll(120)) * time.Second)
					b = run(t, db, log, f, b.net.Load(), nil)
				}
			}
			trouble.Store(false)
			synctest.Wait() // a call under way may have cut the power just now
			for _, id := range two {
				f.edit(id, func(d *fakeDevice) { d.dead = false })
			}
			all := b.quiet()
			r = b.end(r.ID)
			last := all[len(all)-1]
			got := f.freqs("near", "far")
			ends[string(r.State)+" "+got]++
			if got != "5540 5540" && got != "5600 5600" {
				t.Errorf("seed %d: %s", seed, got)
			}
			if (r.State == ChangeConfirmed) && got != "5600 5600" || r.ID == last.ID && r.State != ChangeConfirmed && got != "5540 5540" {
				t.Errorf("seed %d: %s is not what the journal says", seed, got)
			}
			if t.Failed() {
				for _, r := range all {
					t.Log(told(b.end(r.ID)))
				}
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Log(ends)
}

// The engine is killed at every point of taking back a half-confirmed change.
func TestKilledAtEveryStepOfARepair(t *testing.T) {
	play := func(t *testing.T, point int, away time.Duration) (chances int) {
		db := storetest.SQLite(t)
		log := newAudit(t, db)
		f := newFakeFleet()
		var b *bench
		f.after = func(op string, id network.DeviceID) error {
			if op+" "+string(id) == "confirm near" {
				b.stop()
			}
			return nil
		}
		b = run(t, db, log, f, fakeNet(moveBoth), nil)
		r := b.apply(ApplyRequest{})
		time.Sleep(10 * time.Minute)
		b.close()
		if got := f.freqs("near", "far"); got != "5600 5540" {
			t.Fatalf("not half confirmed: %s", got)
		}
		f.on(nil, nil)
		b = run(t, db, log, f, fakeNet(moveBoth), func(c *Changes, stop context.CancelFunc) {
			c.noting = func(ChangeRecord, bool) {
				if chances++; chances == point {
					stop()
				}
			}
		})
		if point > 0 {
			time.Sleep(10 * time.Minute)
			b.close()
			time.Sleep(away)
			b = run(t, db, log, f, fakeNet(moveBoth), nil)
		}
		all := b.quiet()
		if got := f.freqs("near", "far"); got != "5540 5540" || b.end(r.ID).State != ChangeFellBack || all[len(all)-1].State != ChangeConfirmed && all[len(all)-1].Cause != CauseNotNeeded {
			t.Errorf("killed at point %d, away %v: %s", point, away, got)
			for _, r := range all {
				t.Log(told(b.end(r.ID)))
			}
		}
		b.close() // the last chance has passed
		return chances
	}
	chances := 0
	synctest.Test(t, func(t *testing.T) { chances = play(t, 0, 0) })
	for point := 1; point <= chances && !t.Failed(); point += stride {
		synctest.Test(t, func(t *testing.T) { play(t, point, 0) })
	}
	t.Logf("killed at %d points", chances)
}
