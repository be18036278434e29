package sim

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestAdopt: a device whose kept configuration lacks a radio that the network
// files gave it since has that radio, and its own settings.
func TestAdopt(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	kept := f.devices[0].factory.clone()
	ifs := kept.Tables[interfaceTable]
	ifs.remove(kept.port("wlan1").ID)
	kept.port("ether1").Props["comment"] = "mast"
	kept.adopt(f.devices[0].factory)
	if e := kept.port("wlan1"); e == nil || e.get("ssid") != "x" || e.ID != ifs.Next {
		t.Errorf("wlan1 is %v", e)
	}
	if kept.port("ether1").get("comment") != "mast" || len(ifs.Rows) != 3 {
		t.Errorf("the rest changed: %v", ifs.Rows)
	}
}

// FuzzKept reads a device's file as a hand may have edited it.
func FuzzKept(f *testing.F) {
	fleet := loaded(f, pairNetwork(), Config{})
	d := fleet.devices[0]
	b, err := json.Marshal(kept{d.driver, d.config})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(strings.ReplaceAll(string(b), `"5600"`, `"-1-"`)))
	f.Add([]byte(strings.ReplaceAll(string(b), `"20mhz"`, `"0mhz"`)))
	f.Add([]byte(`{"driver": "wireless", "config": {"tables": {"interface": {"rows": [{"id": 9}]}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(d.file(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := fleet.load(); err != nil {
			return
		}
		for _, m := range d.menus {
			if m.rows != nil {
				d.rowsOf(m)
			}
			for _, mon := range m.monitors {
				d.sample(mon, "wlan1,ether1")
			}
		}
		fleet.State()
	})
}

// FuzzControl posts anything to the control.
func FuzzControl(f *testing.F) {
	fleet := loaded(f, pairNetwork(), Config{})
	h := fleet.Handler()
	f.Add("/faults", []byte(`{"device": "a", "kind": "slow", "delay_ms": 5, "for_s": 1e-3}`))
	f.Add("/faults", []byte(`{"link": "l", "kind": "attenuate", "db": 1e308}`))
	f.Add("/weather", []byte(`{"rain_mm_h": 1e2}`))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		if path != "/weather" {
			path = "/faults"
		}
		r := httptest.NewRequest("POST", "http://127.0.0.1"+path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case 201:
			var made struct{ ID string }
			if json.Unmarshal(w.Body.Bytes(), &made) != nil {
				t.Fatalf("answered %s", w.Body)
			}
			fleet.State()
			fleet.Clear(made.ID) // it may have ended by itself
		case 204:
		case 400, 404:
			if !strings.Contains(w.Body.String(), `"error"`) {
				t.Fatalf("refused without a reason: %s", w.Body)
			}
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, l := range fleet.State().Links {
			if l.SignalA != nil && *l.SignalA != *l.SignalA {
				t.Fatal("level is not a number")
			}
		}
	})
}

// TestUsedOnce: a fleet that ran does not run again.
func TestUsedOnce(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	f.running = true
	done := make(chan error, 1)
	go func() { done <- f.Run(t.Context()) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it ran twice")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it runs")
	}
}
