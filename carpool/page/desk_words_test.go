package page

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// TestStaffWords looks for every word that templates and code name.
func TestStaffWords(t *testing.T) {
	own, err := fs.Sub(staffFiles, "staff/words")
	if err != nil {
		t.Fatal(err)
	}
	words, err := web.ReadCatalog(own)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	templates, err := fs.Glob(staffFiles, "staff/templates/*.html")
	if err != nil || len(templates) < 15 {
		t.Fatalf("%d templates, %v", len(templates), err)
	}
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script`)
	for _, f := range templates {
		b, err := fs.ReadFile(staffFiles, f)
		if err != nil {
			t.Fatal(err)
		}
		if m := inline.Find(b); m != nil {
			t.Errorf("%s: inline %q", f, m)
		}
		for _, m := range regexp.MustCompile(`\bt "([^"]+)"`).FindAllSubmatch(b, -1) {
			named[string(m[1])] = true
		}
	}
	for _, k := range carpool.ReasonKeys {
		named["desk."+k] = true
	}
	for _, k := range carpool.TaxiKeys {
		named["manage."+k] = true
	}
	for _, k := range carpool.MissKeys {
		named["desk.miss."+k] = true
	}
	for _, k := range carpool.ReportOutcomes {
		named["manage.outcome."+k] = true
	}
	for _, k := range append(append([]carpool.ReportKind{}, carpool.ReportKinds...), carpool.ReportPhone, carpool.ReportTaxi, carpool.ReportAlarm, carpool.ReportUnreached) {
		named["manage.kind."+string(k)] = true
	}
	for _, k := range []carpool.WayKind{carpool.WaySearch, carpool.WayAsked, carpool.WayRide, carpool.WayBus, carpool.WayList, carpool.WayDesk} {
		named["desk.way."+string(k)] = true
	}
	for _, k := range []string{carpool.WayTextRoadside, carpool.WayTextAway} {
		named["desk."+k], named["desk.say."+k], named["desk.say."+k+".plain"] = true, true, true
	}
	named["desk.say."+carpool.CallStopped], named["desk.say."+carpool.CallStopped+".plain"] = true, true
	for _, k := range []carpool.RequestState{carpool.RequestOpen, carpool.RequestWaiting, carpool.RequestBooked, carpool.RequestListed, carpool.RequestDesk, carpool.RequestDone, carpool.RequestWithdrawn} {
		named["desk.request."+string(k)] = true
	}
	for _, k := range []carpool.BookingState{carpool.Asked, carpool.Accepted, carpool.Declined, carpool.Cancelled, carpool.Boarded, carpool.Completed, carpool.NoShow} {
		named["desk.booking."+string(k)] = true
	}
	for _, k := range []carpool.SuspensionState{carpool.SuspensionProposed, carpool.SuspensionInForce, carpool.SuspensionRefused, carpool.SuspensionLifted} {
		named["police.suspension."+string(k)] = true
	}
	for said := range outcomes {
		named["desk.done."+said] = true
	}
	for k := range named {
		if !words.Has(k) && strings.Contains(k, ".") {
			t.Errorf("no words for %s", k)
		}
	}
}
