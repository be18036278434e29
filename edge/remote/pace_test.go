package remote

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type counted struct {
	mu sync.Mutex
	at []time.Time
}

func (c *counted) RoundTrip(*http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
}

func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		p := Paced(c, 4)
		ask := func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, "GET", "http://cloud.example/", nil)
			if err != nil {
				return err
			}
			_, err = p.RoundTrip(r)
			return err
		}
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if err := ask(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i := 4; i < len(c.at); i++ {
			if c.at[i].Sub(c.at[i-4]) < time.Second {
				t.Errorf("%d and %d are %v apart", i-4, i, c.at[i].Sub(c.at[i-4]))
			}
		}
		if took := c.at[39].Sub(c.at[0]); len(c.at) != 40 || took != 39*250*time.Millisecond {
			t.Errorf("%d in %v", len(c.at), took)
		}
		// Whoever gives up waits no longer; an idle time is not saved up.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := ask(ctx); !errors.Is(err, context.Canceled) && len(c.at) > 41 {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
		before := len(c.at)
		for range 3 {
			if err := ask(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if took := c.at[before+2].Sub(c.at[before]); took != 500*time.Millisecond {
			t.Errorf("three after an idle minute took %v", took)
		}
	})
}
