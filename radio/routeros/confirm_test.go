package routeros

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/radio"
)

// TestConfirmRaces: the device begins to go back between our look and our
// command, and the answer that does not come.
func TestConfirmRaces(t *testing.T) {
	armed := rows(".id=*5 name=crinale-undo-c1")
	for _, tt := range []struct {
		name   string
		print  [][][]string // by turn
		remove [][]string
		kind   fault.Kind
		text   string
		cut    bool
	}{
		{"well", [][][]string{armed, rows()}, nil, fault.Internal, "", false},
		{"began before", [][][]string{rows(".id=*5 name=crinale-undoing-c1")}, nil, fault.NotFound, "going back from change c1 right now", false},
		{"began between", [][][]string{armed}, refusing("no such item (4)"), fault.NotFound, "going back", false},
		{"acting after", [][][]string{armed, rows(".id=*5 name=crinale-undoing-c1")}, nil, fault.NotFound, "going back", false},
		{"still there", [][][]string{armed, armed}, nil, fault.Refused, "remove crinale-undo-c1 from the scheduler by hand", false},
		{"of another change", [][][]string{rows(".id=*5 name=crinale-undo-c2")}, nil, fault.NotFound, "no way back of change c1", false},
		{"refused", [][][]string{armed}, refusing("not enough permissions (9)"), fault.Refused, "not enough permissions", false},
		{"no answer", [][][]string{armed}, gone, fault.Unreachable, "sent, then silent", true},
		{"silent after", [][][]string{armed, gone}, nil, fault.Unreachable, "sent, then silent", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := acting(t, func(words []string, nth int) [][]string {
					switch words[0] {
					case "/system/scheduler/print":
						return tt.print[min(nth, len(tt.print))-1]
					case "/system/scheduler/remove":
						return tt.remove
					}
					return nil
				})
				err := d.driver(t).Confirm(t.Context(), d.target, "c1")
				if tt.text == "" {
					if err != nil || d.count("/system/scheduler/remove =numbers=crinale-undo-c1") != 1 {
						t.Errorf("%v %q", err, d.commands())
					}
					return
				}
				if err == nil || fault.Of(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || errors.Is(err, radio.ErrCut) != tt.cut {
					t.Errorf("%v of kind %v", err, fault.Of(err))
				}
			})
		})
	}
}

// TestUndoWaits until the entry is gone, calls again when the line breaks, and
// gives up in the end.
func TestUndoWaits(t *testing.T) {
	armed, undoing := rows(".id=*5 name=crinale-undo-c1"), rows(".id=*5 name=crinale-undoing-c1")
	undo := func(t *testing.T, set [][]string, prints ...[][]string) (*device, time.Duration, error) {
		d := acting(t, func(words []string, nth int) [][]string {
			switch words[0] {
			case "/system/scheduler/print":
				return prints[min(nth, len(prints))-1]
			case "/system/scheduler/set":
				return set
			}
			return nil
		})
		began := time.Now()
		err := d.driver(t).Undo(t.Context(), d.target, "c1")
		return d, time.Since(began), err
	}
	synctest.Test(t, func(t *testing.T) {
		d, took, err := undo(t, nil, armed, armed, undoing, rows())
		if err != nil || took != 500*time.Millisecond || d.count("/system/scheduler/set =numbers=crinale-undo-c1 =interval=1s") != 1 {
			t.Errorf("%v after %v: %q", err, took, d.commands())
		}
		if d, _, err := undo(t, gone, armed, gone, armed, rows()); err != nil || d.dials < 3 {
			t.Errorf("the line broke: %v, %d connections", err, d.dials)
		}
		if d, _, err := undo(t, nil, undoing, undoing, rows()); err != nil || d.count("/system/scheduler/set") != 0 {
			t.Errorf("it was going back already: %v %q", err, d.commands())
		}
		if _, _, err := undo(t, refusing("no such item (4)"), armed, rows()); err != nil {
			t.Errorf("it began between: %v", err)
		}
		if _, _, err := undo(t, nil, rows()); fault.Of(err) != fault.NotFound {
			t.Error(err)
		}
		if _, took, err := undo(t, nil, armed); fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "still there") || took > 16*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if _, took, err := undo(t, nil, armed, gone); fault.Of(err) != fault.Unreachable || !errors.Is(err, radio.ErrCut) || took > 16*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if _, _, err := undo(t, refusing("not enough permissions (9)"), armed); fault.Of(err) != fault.Refused {
			t.Error(err)
		}
	})
}

// TestWayBackThatBeginsWhileItIsRead: an entry whose script begins between the
// list and its details has another name then, and is not gone: taken for gone,
// its device would be taken for one that keeps its new settings.
func TestWayBackThatBeginsWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listed := rows(".id=*5 name=crinale-undo-c1")
		begun := rows(".id=*5 name=crinale-undoing-c1 interval=1m30s")
		d := acting(t, func(words []string, nth int) [][]string {
			if words[0] != "/system/scheduler/print" {
				return nil
			}
			for _, w := range words {
				switch w {
				case "?name=crinale-undo-c1":
					return rows()
				case "?.id=*5", "?name=crinale-undoing-c1":
					return begun
				}
			}
			if nth > 1 {
				return begun
			}
			return listed
		})
		all, err := d.driver(t).WaysBack(t.Context(), d.target)
		if err != nil || len(all) != 1 || all[0].ID != "c1" || all[0].Left.Or(9) != 0 {
			t.Errorf("%v %+v\n%q", err, all, d.commands())
		}
	})
}
