package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crinale/crinale/controller"
)

func TestOnlyAChangeThatMustMoveIsStuck(t *testing.T) {
	for s, want := range map[controller.ChangeState]bool{
		controller.ChangePlanned: false, controller.ChangeConfirming: false, controller.ChangeUndoing: false,
		controller.ChangeArming: true, controller.ChangeVerifying: true, controller.ChangeWaiting: true,
	} {
		if got := stuck(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestReferenceIntoTheLogIsTold(t *testing.T) {
	body := `{"status":500,"kind":"internal","detail":"the log of the server has the cause under this reference","ref":"ABCD1234"}`
	if err := problem(&http.Response{StatusCode: 500}, []byte(body)); !strings.HasSuffix(err.Error(), "this reference ABCD1234") {
		t.Error(err)
	}
	if err := problem(&http.Response{StatusCode: 409}, []byte(`{"status":409,"kind":"conflict","detail":"no","ref":"ABCD1234"}`)); err.Error() != "no" {
		t.Error(err)
	}
}
