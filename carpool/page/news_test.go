package page_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
)

// TestNews shows a member each notice once, and no other member's.
func TestNews(t *testing.T) {
	w := newWorld(t, func(_ *page.Config, d *page.Deps) {
		d.Shown = func(_ context.Context, lang, notice string) (string, string, error) {
			return "Una notizia (" + lang + ")", "Le parole di <" + notice + ">.", nil
		}
	})
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	driver.get("/passaggi/miei")
	later := monday.Add(time.Minute)
	w.at(later)
	w.booked(rider, "2026-11-25")
	notices, err := w.Members.Notices(t.Context(), driver.by.Member, 20)
	must(t, err)
	if len(notices) == 0 || notices[0].Kind != carpool.NoticeAsked || notices[0].Shown != nil {
		t.Fatalf("the driver is not told: %+v", notices)
	}
	if body := rider.wants(rider.get("/passaggi/miei"), http.StatusOK); strings.Contains(body, notices[0].ID) {
		t.Error("the rider reads what the driver is told")
	}
	if g := driver.do("HEAD", "/passaggi/miei", ""); g.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", g.StatusCode)
	}
	driver.wants(driver.get("/passaggi/miei/copia"), http.StatusOK)
	body := driver.wants(driver.get("/passaggi/miei?lang=it"), http.StatusOK, "Novità", "Una notizia (it)", "&lt;"+notices[0].ID+"&gt;", "lunedì 23 novembre 2026, 08:01")
	if n := strings.Count(body, "Una notizia"); n != 1 {
		t.Errorf("%d notices, want 1", n)
	}
	if again := driver.wants(driver.get("/passaggi/miei"), http.StatusOK); strings.Contains(again, "Una notizia") || strings.Contains(again, "Novità") {
		t.Error("a notice is shown as unread again")
	}
	notices, err = w.Members.Notices(t.Context(), driver.by.Member, 20)
	must(t, err)
	if notices[0].Shown == nil || !notices[0].Shown.Equal(later) {
		t.Errorf("read, and not marked: %+v", notices[0])
	}
}

// TestResidentsAreNotCalledByTheirAccount: the name was made by chance.
func TestResidentsAreNotCalledByTheirAccount(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	g := v.get("/passaggi/miei?lang=it")
	if v.wants(g, http.StatusOK, "Il mio conto"); strings.Contains(g.Body, v.by.Account) {
		t.Errorf("the page shows %s", v.by.Account)
	}
	v.wants(w.visitor().get("/entra?lang=it"), http.StatusOK, "Nome, e-mail o telefono")
}
