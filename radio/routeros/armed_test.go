package routeros

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// gone ends the connection instead of an answer.
var gone = [][]string{{"gone"}}

// acting is a device of one radio that answers as its script says; reply
// overrides the script for one command, given the arguments; nil: the script.
func acting(t *testing.T, reply func(words []string, nth int) [][]string) *device {
	t.Helper()
	s := script{
		"/system/resource/print":    rows("uptime=1h version=6.49.18_(long-term)"),
		"/interface/wireless/print": rows(".id=*1 name=wlan1 default-name=wlan1 ssid=x frequency=5540"),
		"/system/clock/print":       rows("date=nov/22/2026 time=10:00:00"),
		"/system/scheduler/print":   rows(),
		"/system/scheduler/add":     {{"!done", "=ret=*5"}},
		"/system/scheduler/remove":  rows(),
		"/system/scheduler/set":     rows(),
		"/interface/wireless/set":   rows(),
	}
	d := &device{}
	seen := map[string]int{}
	*d = *newDevice(func(p *peer) {
		for {
			words, tag, ok := p.hear()
			if !ok {
				return
			}
			seen[words[0]]++
			special := script{}
			for k, v := range s {
				special[k] = v
			}
			if lines := reply(words, seen[words[0]]); lines != nil {
				if lines[0][0] == "gone" {
					d.mu.Lock()
					d.heard = append(d.heard, strings.Join(words, " "))
					d.mu.Unlock()
					return
				}
				special[words[0]] = lines
			}
			if !d.answer(p, special, words, tag) {
				return
			}
		}
	})
	return d
}

// heard counts the commands that begin so.
func (d *device) count(prefix string) (n int) {
	for _, c := range d.commands() {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func refusing(message string) [][]string {
	return [][]string{{"!trap", "=message=" + message}, {"!done"}}
}

var toRetune = []network.Change{one(network.RadioSection, "wlan1", "freq_mhz", "5540", "5600")}

// wholeEntry is the entry of a change as the device should read it back.
func wholeEntry(t *testing.T, change func(row)) [][]string {
	t.Helper()
	h := &held{radios: radioItems([]row{{".id": "*1", "name": "wlan1", "default-name": "wlan1", "ssid": "x", "frequency": "5540"}}, "/interface/wireless", "wireless")}
	todo, err := edits(h, toRetune)
	if err != nil {
		t.Fatal(err)
	}
	script, err := undoScript("c1", todo)
	if err != nil {
		t.Fatal(err)
	}
	v := row{".id": "*5", "name": "crinale-undo-c1", "interval": "1m30s", "on-event": script, "policy": "read,write,policy,test", "disabled": "false"}
	change(v)
	words := []string{"!re"}
	for k, x := range v {
		words = append(words, "="+k+"="+x)
	}
	return [][]string{words, {"!done"}}
}

// TestArmReadsBack: whatever the device kept otherwise than it was told is
// found, and taken away again.
func TestArmReadsBack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(row)
		text   string
	}{
		{"whole", func(row) {}, ""},
		{"interval in clock form", func(v row) { v["interval"] = "00:01:30" }, ""},
		{"disabled", func(v row) { v["disabled"] = "true" }, "keeps it inactive"},
		{"inactive", func(v row) { v["inactive"] = "true"; v[".about"] = "not allowed by device-mode" }, "keeps it inactive (not allowed by device-mode): allow its scheduler"},
		{"another interval", func(v row) { v["interval"] = "1d" }, "it kept the interval as 1d"},
		{"no interval", func(v row) { delete(v, "interval") }, "it kept the interval as"},
		{"half a script", func(v row) { v["on-event"] = v["on-event"][:40] }, "another script"},
		{"too soon", func(v row) { v["next-run"] = "nov/22/2026 10:00:12" }, "it would go back after 12s, not 1m30s"},
		{"too late", func(v row) { v["next-run"] = "nov/23/2026 10:00:00" }, "it would go back after 24h0m0s"},
		{"in time", func(v row) { v["next-run"] = "nov/22/2026 10:01:31" }, ""},
		{"next run in words", func(v row) { v["next-run"] = "soon" }, ""},
		{"too few rights", func(v row) { v["policy"] = "read,test" }, "read and write are needed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := acting(t, func(words []string, nth int) [][]string {
					if words[0] == "/system/scheduler/print" && nth == 2 {
						return wholeEntry(t, tt.change)
					}
					return nil
				})
				w, err := d.driver(t).Arm(t.Context(), d.target, "c1", 90*time.Second, toRetune)
				if tt.text == "" {
					if err != nil || w.ID != "c1" || w.Left.Or(0) != 90 || w.Device != d.target.Device {
						t.Errorf("%v %+v", err, w)
					}
					if add := "/system/scheduler/add =name=crinale-undo-c1 =interval=90s =policy=read,write,policy,test"; d.count(add) != 1 || d.count("/system/scheduler/remove") != 0 {
						t.Errorf("%q", d.commands())
					}
					return
				}
				if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), tt.text) || d.count("/system/scheduler/remove =.id=*5") != 1 {
					t.Errorf("%v\n%q", err, d.commands())
				}
			})
		})
	}
}

// TestArmNothingKept: the device takes the entry and has none; it cannot remove
// a bad one; its refusals.
func TestArmTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := acting(t, func([]string, int) [][]string { return nil })
		if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", 90*time.Second, toRetune); fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "took the entry, and has none") {
			t.Error(err)
		}
		d = acting(t, func(words []string, nth int) [][]string {
			switch {
			case words[0] == "/system/scheduler/print" && nth == 2:
				return wholeEntry(t, func(v row) { v["disabled"] = "true" })
			case words[0] == "/system/scheduler/remove":
				return refusing("not enough permissions (9)")
			}
			return nil
		})
		if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", 90*time.Second, toRetune); fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "crinale-undo-c1 could not be removed") {
			t.Error(err)
		}
		for _, tt := range []struct{ command, says, text string }{
			{"/system/scheduler/add", "not enough permissions (9)", "not enough permissions (9): see that the account may write"},
			{"/system/scheduler/add", "failure: not allowed by device-mode", "update scheduler=yes"},
		} {
			d = acting(t, func(words []string, _ int) [][]string {
				if words[0] == tt.command {
					return refusing(tt.says)
				}
				return nil
			})
			if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", 90*time.Second, toRetune); fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %v", tt.says, err)
			}
		}
		// What cannot be read is not taken for empty.
		d = acting(t, func(words []string, _ int) [][]string {
			if words[0] == "/interface/wireless/print" {
				return refusing("not enough permissions (9)")
			}
			return nil
		})
		if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", 90*time.Second, toRetune); fault.Of(err) != fault.Denied {
			t.Error(err)
		}
		if _, err := d.driver(t).Configured(t.Context(), d.target); fault.Of(err) == fault.Internal || err == nil {
			t.Error(err)
		}
		for _, id := range []string{"", "a b", `x"`, strings.Repeat("x", 49), "ü"} {
			if _, err := d.driver(t).Arm(t.Context(), d.target, id, 90*time.Second, toRetune); fault.Of(err) != fault.Invalid {
				t.Errorf("%q: %v", id, err)
			}
		}
		for _, hold := range []time.Duration{0, -time.Second, 1500 * time.Millisecond, 48 * time.Hour} {
			if _, err := d.driver(t).Arm(t.Context(), d.target, "c1", hold, toRetune); fault.Of(err) != fault.Invalid {
				t.Errorf("%v: %v", hold, err)
			}
		}
	})
}

// TestWriteIsCut: the last command is sent and the line breaks.
func TestWriteIsCut(t *testing.T) {
	armed := rows(".id=*5 name=crinale-undo-c1", ".id=*6 name=backup")
	for _, tt := range []struct {
		name  string
		reply func(words []string, nth int) [][]string
		cut   bool
		kind  fault.Kind
		sets  int
	}{
		{"the radio cuts it", func(words []string, _ int) [][]string {
			if words[0] == "/interface/wireless/set" {
				return gone
			}
			return nil
		}, true, fault.Unreachable, 1},
		{"just after", func(words []string, nth int) [][]string {
			if words[0] == "/system/scheduler/print" && nth == 2 {
				return gone
			}
			return nil
		}, true, fault.Unreachable, 1},
		{"it went back meanwhile", func(words []string, nth int) [][]string {
			if words[0] == "/system/scheduler/print" && nth == 2 {
				return rows()
			}
			return nil
		}, false, fault.Conflict, 1},
		{"it is going back", func(words []string, nth int) [][]string {
			if words[0] == "/system/scheduler/print" {
				return rows(".id=*5 name=crinale-undoing-c1")
			}
			return nil
		}, false, fault.Conflict, 0},
		{"refused", func(words []string, _ int) [][]string {
			if words[0] == "/interface/wireless/set" {
				return refusing("input does not match any value of frequency")
			}
			return nil
		}, false, fault.Refused, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := acting(t, func(words []string, nth int) [][]string {
					if lines := tt.reply(words, nth); lines != nil {
						return lines
					}
					if words[0] == "/system/scheduler/print" {
						return armed
					}
					return nil
				})
				err := d.driver(t).Write(t.Context(), d.target, toRetune)
				if fault.Of(err) != tt.kind || errors.Is(err, radio.ErrCut) != tt.cut || d.count("/interface/wireless/set") != tt.sets {
					t.Errorf("%v of kind %v\n%q", err, fault.Of(err), d.commands())
				}
			})
		})
	}
}

// TestFirstOfTwoIsCut: the line breaks before all was sent, which is no ErrCut.
func TestFirstOfTwoIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := acting(t, func(words []string, _ int) [][]string {
			switch words[0] {
			case "/system/scheduler/print":
				return rows(".id=*5 name=crinale-undo-c1")
			case "/system/identity/print":
				return rows("name=x")
			case "/system/identity/set":
				return gone
			}
			return nil
		})
		err := d.driver(t).Write(t.Context(), d.target, append([]network.Change{one(network.IdentitySection, "", "name", "x", "y")}, toRetune...))
		if fault.Of(err) != fault.Unreachable || errors.Is(err, radio.ErrCut) || !strings.Contains(err.Error(), "write identity (name), step 1 of 2") || d.count("/interface/wireless/set") != 0 {
			t.Errorf("%v %q", err, d.commands())
		}
	})
}

// TestArmTakesNothingForGranted: what is already as wanted was not so when the
// differences were read; its way back would lead to the wrong place.
func TestArmTakesNothingForGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := acting(t, func([]string, int) [][]string { return nil })
		_, err := d.driver(t).Arm(t.Context(), d.target, "c1", time.Minute, []network.Change{one(network.RadioSection, "wlan1", "freq_mhz", "5600", "5540")})
		if fault.Of(err) != fault.Conflict || d.count("/system/scheduler/add") != 0 {
			t.Errorf("%v %q", err, d.commands())
		}
	})
}

// TestSilentSessionIsReplaced: a session that has fallen silent since costs a
// change one command's time, and a round its result.
func TestSilentSessionIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := false
		d := acting(t, func([]string, int) [][]string {
			if mute {
				mute = false
				return [][]string{{"!re", "=nothing=more"}} // and no end
			}
			return nil
		})
		driver := d.driver(t)
		if _, err := driver.WaysBack(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		mute = true
		began := time.Now()
		if _, err := driver.WaysBack(t.Context(), d.target); err != nil || d.dials != 2 || time.Since(began) != Default().CommandTimeout {
			t.Errorf("%v, %d connections, %v", err, d.dials, time.Since(began))
		}
		mute = true
		if _, err := driver.Observe(t.Context(), d.target); fault.Of(err) != fault.Unreachable || d.dials != 2 {
			t.Errorf("%v, %d connections", err, d.dials)
		}
	})
}

// TestDeadSessionIsNoTrouble: a session kept from before that has died is
// replaced, and nothing is written twice.
func TestDeadSessionIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := acting(t, func(words []string, nth int) [][]string {
			switch {
			case words[0] == "/system/resource/print" && nth == 2:
				return gone
			case words[0] == "/system/scheduler/print":
				return rows(".id=*5 name=crinale-undo-c1")
			}
			return nil
		})
		driver := d.driver(t)
		if _, err := driver.WaysBack(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		if _, err := driver.Arm(t.Context(), d.target, "c2", time.Minute, toRetune); fault.Of(err) != fault.Conflict {
			t.Fatal(err)
		}
		if err := driver.Write(t.Context(), d.target, toRetune); err != nil || d.dials != 2 || d.count("/interface/wireless/set") != 1 {
			t.Errorf("%v, %d connections: %q", err, d.dials, d.commands())
		}
	})
}
