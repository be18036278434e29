package browsertest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// seen is what went on in a tab.
type seen struct {
	mu       sync.Mutex
	troubles []string
	open     map[network.RequestID]string
	bytes    map[network.RequestID]float64 // as transferred, with headers
	total    float64
	count    int
	stir     chan struct{} // something happened; size one
}

// watch listens to a tab from its first event on.
func watch(ctx context.Context) (*seen, error) {
	s := &seen{open: map[network.RequestID]string{}, bytes: map[network.RequestID]float64{}, stir: make(chan struct{}, 1)}
	err := chromedp.Listen(ctx, func(ev any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.event(ev) {
			return
		}
		select {
		case s.stir <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		return nil, err
	}
	_, err = chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	return s, err
}

func (s *seen) trouble(format string, args ...any) {
	s.troubles = append(s.troubles, fmt.Sprintf(format, args...))
}

// event notes what happened; false when it does not disturb the quiet, as the
// beats of an event stream do not.
func (s *seen) event(ev any) bool {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			var args []string
			for _, a := range ev.Args {
				args = append(args, string(a.Value)+a.Description)
			}
			s.trouble("console %s: %s", ev.Type, strings.Join(args, " "))
		}
	case *runtime.EventExceptionThrown:
		s.trouble("exception: %s", describe(ev.ExceptionDetails))
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Source == log.EntrySourceSecurity {
			s.trouble("log: %s %s", ev.Entry.Text, ev.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !local(ev.Request.URL) {
			s.trouble("asked a host that is not this machine: %s", ev.Request.URL)
		}
		if ev.Type != network.ResourceTypeEventSource {
			s.open[ev.RequestID] = ev.Request.URL
			if !strings.HasPrefix(ev.Request.URL, "data:") { // those come with the page
				s.count++
			}
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 && ev.Type != network.ResourceTypeDocument {
			s.trouble("request failed: %d %s", ev.Response.Status, ev.Response.URL)
		}
		if ev.Type == network.ResourceTypeEventSource {
			delete(s.open, ev.RequestID)
		}
	case *network.EventLoadingFinished:
		s.total += ev.EncodedDataLength
		delete(s.open, ev.RequestID)
	case *network.EventLoadingFailed:
		if !ev.Canceled && ev.Type != network.ResourceTypeEventSource {
			s.trouble("request lost: %s %s", ev.ErrorText, s.open[ev.RequestID])
		}
		delete(s.open, ev.RequestID)
	default:
		return false
	}
	return true
}

// local says whether an address needs nothing but this machine.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "data", "about", "blob":
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// quiet waits until no request but event streams is under way and nothing
// happened for a while. A page that polls faster than that is never quiet.
func (s *seen) quiet(ctx context.Context, still time.Duration) error {
	timer := time.NewTimer(still)
	defer timer.Stop()
	for {
		select {
		case <-s.stir:
			timer.Reset(still)
		case <-timer.C:
			s.mu.Lock()
			waiting := len(s.open)
			var one string
			for _, u := range s.open {
				one = u
			}
			s.mu.Unlock()
			if waiting == 0 {
				return nil
			}
			select {
			case <-s.stir:
				timer.Reset(still)
			case <-ctx.Done():
				return fmt.Errorf("%d requests without an answer, one is %s: %w", waiting, one, ctx.Err())
			}
		case <-ctx.Done():
			return fmt.Errorf("the page is never quiet: %w", ctx.Err())
		}
	}
}

// report is what went wrong so far.
func (s *seen) report() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.troubles...)
}

// transferred is the bytes over the wire and the number of requests.
func (s *seen) transferred() (bytes float64, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, s.count
}

func describe(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}
