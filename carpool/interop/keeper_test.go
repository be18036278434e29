package interop

import (
	"testing"

	"github.com/crinale/crinale/carpool/keepertest"
)

func TestKeeper(t *testing.T) {
	if Keeper.Owner != Owner {
		t.Fatalf("the tables are those of %q, not of %q", Owner, Keeper.Owner)
	}
	keepertest.Check(t, Keeper, migrations)
}
