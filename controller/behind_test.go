package controller

import (
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// A station without power would come back to a network that is gone.
func TestAnEndThatIsSilentIsNotLeftBehind(t *testing.T) {
	for _, named := range [][]network.DeviceID{nil, {"near"}} {
		story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
			f.edit("far", func(d *fakeDevice) { d.dead = true })
			_, err := b.c.Apply(t.Context(), ApplyRequest{Devices: named})
			wantKind(t, err, fault.Unreachable, "far, at the other end of link up")
			if f.did("arm near") != 0 || f.freqs("near", "far") != "5540 5540" {
				t.Errorf("%v %s", f.calls, f.freqs("near", "far"))
			}
		})
	}
}

// An end that somebody changed by hand may be put back, though that cut the
// other one off.
func TestAnEndChangedByHandIsPutBack(t *testing.T) {
	story(t, func(network.DeviceID, *network.Settings) {}, func(t *testing.T, b *bench, f *fakeFleet) {
		if d, err := b.c.Diff(t.Context(), nil); err != nil || d.Count() != 0 {
			t.Fatalf("%+v %v", d, err)
		}
		f.edit("near", func(d *fakeDevice) { d.values[fakeFreq] = "5580" })
		r := b.end(b.apply(ApplyRequest{}).ID)
		if r.State != ChangeConfirmed || f.freqs("near", "far") != "5540 5540" || !f.linked() {
			t.Errorf("%s\n%s", f.freqs("near", "far"), told(r))
		}
	})
}
