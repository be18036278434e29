package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// schedule is the printed entry of a name; nil: there is none.
func schedule(d *device, name string) map[string]string {
	for _, it := range d.rowsOf(schedulerMenu) {
		if n, _ := it.get("name"); n == name {
			out := map[string]string{}
			for _, p := range it {
				out[p.k] = p.v
			}
			return out
		}
	}
	return nil
}

const undoEntry = `/system scheduler add name=undo interval=90s on-event="/interface wireless set wlan1 frequency=5600\n/system scheduler remove [find name=undo]"`

// TestSchedulerAlone: an entry runs after its interval with nobody connected,
// does what it says and no more, and removes itself.
func TestSchedulerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		defer f.end()
		d := f.devices[0]
		at(t, d, undoEntry+"\n/interface wireless set wlan1 frequency=5700")
		before := configOf(d)
		e := schedule(d, "undo")
		if e["run-count"] != "0" || e["interval"] != "1m30s" || e["next-run"] != d.moment(time.Now().Add(90*time.Second)) || e["disabled"] != "false" {
			t.Errorf("entry: %v", e)
		}
		time.Sleep(90*time.Second - time.Millisecond)
		synctest.Wait()
		if v := propOf(d, "wlan1", "frequency"); v != "5700" {
			t.Fatalf("frequency is %s before its time", v)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if v := propOf(d, "wlan1", "frequency"); v != "5600" {
			t.Errorf("frequency is %s", v)
		}
		if e := schedule(d, "undo"); e != nil {
			t.Errorf("entry is still there: %v", e)
		}
		before.port("wlan1").Props["frequency"] = "5600"
		before.Tables[schedulerTable].Rows = []*entry{}
		if got, want := dump(t, configOf(d)), dump(t, before); got != want {
			t.Errorf("the configuration is\n%s\nwant\n%s", got, want)
		}
		f.sessions.Wait()
	})
}

// TestSchedulerRepeats: every interval, from the moment of the last change, as
// long as the entry is enabled.
func TestSchedulerRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		defer f.end()
		d := f.devices[0]
		at(t, d, `/system script add name=tick source=":log info tick"; /system scheduler add name=tick interval=10s on-event=tick`)
		ticks := func() int {
			n := 0
			for _, l := range logged(d) {
				if l.message == "tick" && l.topics == "script,info" {
					n++
				}
			}
			return n
		}
		pass := func(w time.Duration, want int) {
			t.Helper()
			time.Sleep(w)
			synctest.Wait()
			if n := ticks(); n != want {
				t.Errorf("after %v it ran %d times, want %d", w, n, want)
			}
		}
		pass(35*time.Second, 3)
		if e := schedule(d, "tick"); e["run-count"] != "3" {
			t.Errorf("run-count: %v", e)
		}
		at(t, d, `/system scheduler set tick comment="the same interval"`)
		pass(6*time.Second, 4)
		at(t, d, `/system scheduler set tick interval=1s`)
		pass(1500*time.Millisecond, 5)
		at(t, d, `/system scheduler disable tick`)
		pass(time.Minute, 5)
		if e := schedule(d, "tick"); e["next-run"] != "" || e["disabled"] != "true" {
			t.Errorf("disabled: %v", e)
		}
		at(t, d, `/system scheduler enable tick; /system scheduler set tick interval=1m`)
		pass(59*time.Second, 5)
		pass(2*time.Second, 6)
		at(t, d, `/system scheduler set tick on-event=":delay 5s; /nothing"`)
		pass(2*time.Minute, 6)
		ls := logged(d)
		if l := ls[len(ls)-1]; l.topics != "script,error" || !strings.Contains(l.message, "(tick) failed") || !strings.Contains(l.message, "bad command name nothing (line 1)") {
			t.Errorf("a script that fails: %v", l)
		}
		f.sessions.Wait()
	})
}

// TestSchedulerOverReboot: after a boot an entry counts from the boot, and a
// script that was waiting is gone.
func TestSchedulerOverReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		defer f.end()
		d := f.devices[0]
		at(t, d, undoEntry+`
/interface wireless set wlan1 frequency=5700
/system scheduler add name=long interval=30s on-event=":delay 1h; /interface set ether1 comment=late"
/system scheduler add name=boot start-time=startup on-event=":log info up"`)
		time.Sleep(40 * time.Second) // long is in its delay
		if _, err := f.Inject(Fault{Device: "a", Kind: Reboot, ForS: 60}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second) // off: past the time of undo
		synctest.Wait()
		if v := propOf(d, "wlan1", "frequency"); v != "5700" {
			t.Fatalf("it ran without power: %s", v)
		}
		time.Sleep(time.Second + 89*time.Second)
		synctest.Wait()
		if v := propOf(d, "wlan1", "frequency"); v != "5700" {
			t.Errorf("it ran before the interval was over since the boot: %s", v)
		}
		if l := logged(d)[1]; l.message != "up" {
			t.Errorf("startup: %v", l)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if v := propOf(d, "wlan1", "frequency"); v != "5600" || schedule(d, "undo") != nil {
			t.Errorf("it did not run after the boot: %s", v)
		}
		if v := propOf(d, "ether1", "comment"); v != "" {
			t.Errorf("a script outlived the power: %q", v)
		}
		at(t, d, "/system scheduler remove [find]")
		f.mu.Lock()
		d.powerOff()
		f.mu.Unlock()
		f.sessions.Wait()
	})
}

// TestSchedulerOverRestart: what came due while nobody simulated the device is
// done at the start; what ran before is not done again.
func TestSchedulerOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		d := f.devices[0]
		at(t, d, undoEntry+`
/interface wireless set wlan1 frequency=5700
/system scheduler add name=tick interval=1h on-event="/interface set ether1 comment=ticked"`)
		time.Sleep(80 * time.Second)
		f.end()
		f.sessions.Wait()
		time.Sleep(time.Hour - 3*time.Minute)

		again := func() *device {
			g, err := New(f.cfg, f.deps)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.load(); err != nil {
				t.Fatal(err)
			}
			f = g
			synctest.Wait()
			return g.devices[0]
		}
		d = again()
		if v := propOf(d, "wlan1", "frequency"); v != "5600" || schedule(d, "undo") != nil {
			t.Errorf("what was due was not done: %s", v)
		}
		if v := propOf(d, "ether1", "comment"); v != "" {
			t.Errorf("an entry ran before its time: %q", v)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if v := propOf(d, "ether1", "comment"); v != "ticked" {
			t.Errorf("an entry did not run: %q", v)
		}
		at(t, d, `/interface set ether1 comment=cleared`)
		f.end()
		f.sessions.Wait()
		d = again()
		if v := propOf(d, "ether1", "comment"); v != "cleared" {
			t.Errorf("an entry ran twice: %q", v)
		}
		f.end()
		f.sessions.Wait()
	})
}
