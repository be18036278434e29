// Package keepertest holds the tables of a part beside the portal against what
// privacy knows of them; every carpool.Keeper is tested by it.
package keepertest

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Check fails when the columns that privacy knows of are not those of the
// tables, when the export leaves one out, or when a statement does not run, on
// both databases.
func Check(t *testing.T, keeper carpool.Keeper, migrations fs.FS) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
		check(t, err)
		check(t, log.Open(ctx))
		box, err := outbox.New(outbox.Default(), outbox.Deps{Store: db})
		check(t, err)
		check(t, box.Open(ctx))
		p, err := carpool.New(carpool.Default(), carpool.Deps{Store: db, Audit: log, Outbox: box, Roads: noRoads{}, Keepers: []carpool.Keeper{keeper}})
		check(t, err)
		check(t, p.Open(ctx))
		check(t, db.Migrate(ctx, keeper.Owner, migrations))
		for _, h := range keeper.Holdings {
			want := strings.Fields(strings.NewReplacer("*", "", "@", "").Replace(h.Columns))
			slices.Sort(want)
			if have := storetest.Columns(t, db, h.Table); !slices.Equal(have, want) || len(h.About) == 0 || len(h.Forget) == 0 {
				t.Errorf("%s has the columns %v, and privacy knows %v", h.Table, have, want)
			}
		}
		m, err := p.Members.Register(ctx, carpool.By{Account: "r-1"}, carpool.Registration{Member: carpool.Member{First: "Residente", Last: "Uno", Phone: "3331234567", Comune: "004019"},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms}, How: "page"})
		check(t, err)
		by := carpool.By{Account: "r-1", Member: m.ID}
		var out bytes.Buffer
		check(t, p.Privacy.Export(ctx, by, m.ID, &out))
		for _, h := range keeper.Holdings {
			if !strings.Contains(out.String(), h.Table) {
				t.Errorf("%s is not in the export", h.Table)
			}
		}
		check(t, p.Privacy.Round(ctx))
		check(t, p.Privacy.Forget(ctx, by, m.ID))
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noRoads holds no ride and measures none.
type noRoads struct{ carpool.Roads }

func (noRoads) Index() carpool.StopIndex { return noStops{} }

type noStops struct{ carpool.StopIndex }

func (noStops) Drop(carpool.RideID) {}
func (noStops) Len() int            { return 0 }
