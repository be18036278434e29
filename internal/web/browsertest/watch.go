package browsertest

import (
	"context"
	"errors"
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
	open     map[network.RequestID]asked
	bytes    map[network.RequestID]float64 // as transferred, with headers
	total    float64
	count    int
	pages    int           // documents asked for
	stir     chan struct{} // something happened; size one
}

// asked is a request that has no answer yet.
type asked struct {
	url    string
	loader cdp.LoaderID // the document that it is for
	icon   bool         // the browser's own: the icon of its tab, the manifest
}

const (
	// iconLost is how long the browser's own requests are waited for when
	// nothing else happens: of one that it gives up it says nothing.
	iconLost = 5 * time.Second
	// ledBy is how long a slow browser may think about a key before it asks for
	// where that leads.
	ledBy = 10 * time.Second
)

// watch listens to a tab from its first event on.
func watch(ctx context.Context) (*seen, error) {
	s := &seen{open: map[network.RequestID]asked{}, bytes: map[network.RequestID]float64{}, stir: make(chan struct{}, 1)}
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
			own := ev.Type == network.ResourceTypeOther || ev.Type == network.ResourceTypeManifest
			s.open[ev.RequestID] = asked{ev.Request.URL, ev.LoaderID, own}
			if ev.Type == network.ResourceTypeDocument {
				s.pages++
			}
			if !strings.HasPrefix(ev.Request.URL, "data:") { // those come with the page
				s.count++
			}
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 && ev.Type != network.ResourceTypeDocument {
			s.trouble("request failed: %d %s", ev.Response.Status, ev.Response.URL)
		}
		switch ev.Type {
		case network.ResourceTypeEventSource:
			delete(s.open, ev.RequestID)
		case network.ResourceTypeDocument: // what was asked for the page before has no answer any more
			for id, a := range s.open {
				if a.loader != ev.LoaderID {
					delete(s.open, id)
				}
			}
		}
	case *network.EventLoadingFinished:
		s.total += ev.EncodedDataLength
		delete(s.open, ev.RequestID)
	case *network.EventLoadingFailed:
		if !ev.Canceled && ev.Type != network.ResourceTypeEventSource {
			s.trouble("request lost: %s %s", ev.ErrorText, s.open[ev.RequestID].url)
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
			icons := 0
			for _, a := range s.open {
				one = a.url
				if a.icon {
					icons++
				}
			}
			s.mu.Unlock()
			if waiting == 0 {
				return nil
			}
			var lost <-chan time.Time
			if icons == waiting {
				lost = time.After(iconLost)
			}
			select {
			case <-lost:
				return nil
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

// whole is quiet, of a page that is read to its end: on a slow machine one may
// be quiet for a while between its answer and its first element.
func (s *seen) whole(ctx context.Context, still time.Duration) error {
	return s.holds(ctx, still, `document.readyState === "complete" && document.body !== null`)
}

// lead does what leads to another page, or makes a script ask for something,
// and waits until that is there whole.
func (s *seen) lead(ctx context.Context, do func() error) error {
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.left = true`)); err != nil {
		return err
	}
	asked, pages := s.asked()
	if err := do(); err != nil {
		return err
	}
	for late := time.After(ledBy); ; {
		if now, _ := s.asked(); now > asked {
			break
		}
		select {
		case <-s.stir:
			continue
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
		}
		break
	}
	if err := s.whole(ctx, settled); err != nil {
		return err
	}
	if _, now := s.asked(); now == pages {
		return nil
	}
	return s.holds(ctx, settled, `document.left !== true && document.readyState === "complete" && document.body !== null`)
}

// asked is how many requests there were so far, and of them for documents.
func (s *seen) asked() (requests, pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.pages
}

// holds waits until the page is quiet and something is true of it.
func (s *seen) holds(ctx context.Context, still time.Duration, what string) error {
	for {
		if err := s.quiet(ctx, still); err != nil {
			return err
		}
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](what))
		if err == nil && done {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the page is never whole: %w", errors.Join(err, ctx.Err()))
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
