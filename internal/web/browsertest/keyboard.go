package browsertest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Enter is the key, for Step.Keys.
const Enter = kb.Enter

// mostTabs is how often Tab is pressed to reach something on a page.
const mostTabs = 120

// Step is what somebody without a mouse does: press Tab until the element that
// the selector To names has the focus, and type Keys there. Text that stands in
// the field is replaced.
type Step struct{ To, Keys string }

// Way is how a page is used with the keyboard.
type Way struct {
	Width    int // 0: the first of Widths
	Dark     bool
	NoScript bool
	File     string // of a screenshot of where it led; "" for none
}

// Landed is the page that a way led to.
type Landed struct {
	URL  string
	Text string // of <main>
}

// Keyboard opens a page and does the steps with keys alone. The page it leads
// to is held against the same rules as by Check, but may have any status.
func (b *Browser) Keyboard(url string, w Way, steps ...Step) Landed {
	b.t.Helper()
	l := look{width: w.Width, dark: w.Dark, noScript: w.NoScript}
	if l.width == 0 {
		l.width = Widths[0]
	}
	var out Landed
	err := b.tab(url, l, func(ctx context.Context, s *seen) error {
		for _, step := range steps {
			if err := press(ctx, step); err != nil {
				return err
			}
			still := stirred
			if step.Keys == Enter {
				still = settled // it may lead to another page
			}
			if err := s.quiet(ctx, still); err != nil {
				return err
			}
		}
		found, err := b.inspect(ctx, l)
		if err != nil {
			return err
		}
		if out.URL, err = chromedp.Run(ctx, chromedp.Location()); err != nil {
			return err
		}
		for _, line := range found {
			b.t.Errorf("%s (%v): %s", out.URL, l, line)
		}
		if out.Text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`)); err != nil {
			return err
		}
		if w.File == "" {
			return nil
		}
		return capture(ctx, l, w.File)
	})
	if err != nil {
		b.t.Errorf("by the keyboard on %s (%v): %v", url, l, err)
	}
	return out
}

// press does one step.
func press(ctx context.Context, step Step) error {
	here := `(e => e !== null && e.matches(` + strconv.Quote(step.To) + `))(document.activeElement)`
	for range mostTabs {
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](here))
		if err != nil {
			return err
		}
		if !there {
			if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
				return err
			}
			continue
		}
		if step.Keys == Enter || step.Keys == " " {
			return chromedp.Do(ctx, chromedp.KeyEvent(step.Keys))
		}
		return chromedp.Do(ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(step.Keys))
	}
	return fmt.Errorf("%d times Tab do not reach %s", mostTabs, step.To)
}
