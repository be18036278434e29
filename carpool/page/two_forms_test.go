package page_test

import (
	"net/http"
	"testing"
)

// TestAnAlarmIsNeverTakenForAnotherForm: all forms of a page share a mark, and an
// alarm that is raised on a page on which something else was sent before is an
// alarm; only the same form sent twice counts once.
func TestAnAlarmIsNeverTakenForAnotherForm(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	mark := onceIn(t, driver.wants(driver.get(booking), http.StatusOK, "name=\"fa\""))
	for range 2 {
		driver.led(driver.post(booking, "volta", mark, "fa", "accept"), booking+"?fatto=accettato")
	}
	for range 2 {
		driver.led(driver.post(booking, "volta", mark, "fa", "alarm"), booking+"?fatto=allarme")
	}
}
