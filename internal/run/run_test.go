package run

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestStagesStartInOrderAndEndInReverse(t *testing.T) {
	var mu sync.Mutex
	var events []string
	say := func(s string) { mu.Lock(); events = append(events, s); mu.Unlock() }
	stage := func(name string) Stage {
		ready := make(chan struct{})
		return Stage{Name: name, Ready: ready, Run: func(ctx context.Context) error {
			say("+" + name)
			close(ready)
			<-ctx.Done()
			say("-" + name)
			return ctx.Err()
		}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := All(ctx, []Stage{stage("store"), stage("spine"), stage("web")}, cancel)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"+store", "+spine", "+web", "-web", "-spine", "-store"}
	if !slices.Equal(events, want) {
		t.Errorf("order %v, want %v", events, want)
	}
}

func TestFailureNamesItsStageAndEndsTheOthers(t *testing.T) {
	boom := errors.New("port in use")
	ended := false
	err := All(t.Context(), []Stage{
		{Name: "store", Run: func(ctx context.Context) error { <-ctx.Done(); ended = true; return nil }},
		{Name: "web", Ready: make(chan struct{}), Run: func(context.Context) error { return boom }},
	}, func() { t.Error("ready was called although web failed") })
	if !errors.Is(err, boom) || err.Error() != "web: port in use" {
		t.Errorf("got %v", err)
	}
	if !ended {
		t.Error("store was left running")
	}
}
