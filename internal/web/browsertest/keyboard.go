package browsertest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Enter and Down are the keys, for Step.Keys.
const (
	Enter = kb.Enter
	Down  = kb.ArrowDown
)

// mostTabs is how often Tab is pressed to reach something on a page.
const mostTabs = 120

// Step is what somebody without a mouse does: press Tab until the element that
// the selector To names has the focus, and type Keys there. Text that stands in
// the field is replaced. Where a day or a time is asked for, Keys are 2026-11-25
// or 07:10, and are typed in the order in which the browser wants them.
type Step struct{ To, Keys string }

// Way is how a page is used with the keyboard.
type Way struct {
	Width    int // 0: the first of Widths
	Dark     bool
	NoScript bool
	File     string // of a screenshot of where it led; "" for none
	Wide     bool   // hold where it led at all Widths, and against axe
}

// Landed is the page that a way led to.
type Landed struct {
	URL  string
	Text string // of <main>
}

// Keyboard opens a page and does the steps with keys alone. The page it leads
// to is held against the same rules as by Check, but may have any status. No
// address: it goes on from the page that there is.
func (b *Browser) Keyboard(url string, w Way, steps ...Step) Landed {
	b.t.Helper()
	l := look{width: w.Width, dark: w.Dark, noScript: w.NoScript}
	if l.width == 0 {
		l.width = Widths[0]
	}
	var out Landed
	err := b.tab(url, l, func(ctx context.Context, s *seen) error {
		for _, step := range steps {
			if err := press(ctx, s, step); err != nil {
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
		if w.Wide {
			if err := b.wide(ctx, s, out.URL, l); err != nil {
				return err
			}
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

// wide holds the page that stands at each width, with scripts on for axe, and
// leaves it as it was.
func (b *Browser) wide(ctx context.Context, s *seen, url string, was look) error {
	for i, width := range Widths {
		l := look{width: width, dark: was.dark, again: i > 0 && !was.dark}
		if err := redress(ctx, s, l); err != nil {
			return fmt.Errorf("%v: %w", l, err)
		}
		found, err := b.inspect(ctx, l)
		if err != nil {
			return fmt.Errorf("%v: %w", l, err)
		}
		for _, line := range found {
			b.t.Errorf("%s (%v): %s", url, l, line)
		}
	}
	return dress(ctx, was, height)
}

// press does one step, and waits until the page is quiet.
func press(ctx context.Context, s *seen, step Step) error {
	here := `(e => e !== null && e.matches(` + strconv.Quote(step.To) + `))(document.activeElement)`
	for range mostTabs {
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](here))
		if err != nil {
			return err
		}
		if there {
			return typeKeys(ctx, s, step.Keys)
		}
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d times Tab do not reach %s", mostTabs, step.To)
}

// typeKeys types into what has the focus.
func typeKeys(ctx context.Context, s *seen, keys string) error {
	text, enter := strings.CutSuffix(keys, Enter)
	if text != "" {
		if err := typeText(ctx, text); err != nil {
			return err
		}
	}
	if !enter {
		return s.whole(ctx, stirred)
	}
	leads, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(e => e.matches("a[href]") || e.form != null)(document.activeElement)`))
	if err != nil {
		return err
	}
	do := func() error { return chromedp.Do(ctx, chromedp.KeyEvent(Enter)) }
	if leads {
		return s.lead(ctx, do)
	}
	if err := do(); err != nil {
		return err
	}
	return s.whole(ctx, settled)
}

// typeText replaces what stands in the field.
func typeText(ctx context.Context, text string) error {
	if text == " " {
		return chromedp.Do(ctx, chromedp.KeyEvent(text))
	}
	moment, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`["date", "time"].includes(document.activeElement.type)`))
	if err != nil {
		return err
	}
	if moment {
		return typeMoment(ctx, text)
	}
	return chromedp.Do(ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(text))
}

// typeMoment types a day or a time of day into the parts of its field. Their
// order is that of the browser's language, so each is tried until the field
// holds what is meant.
func typeMoment(ctx context.Context, want string) error {
	orders := []string{"02012006", "01022006", "20060102"}
	at, err := time.Parse(time.DateOnly, want)
	if err != nil {
		orders = []string{"1504", "0304PM"}
		if at, err = time.Parse("15:04", want); err != nil {
			return fmt.Errorf("type %q: want a day as 2026-11-25 or a time as 07:10", want)
		}
	}
	var got string
	for _, order := range orders {
		keys := strings.Repeat(kb.ArrowLeft, 3) + at.Format(order) // from the first part on
		if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
			return err
		}
		if got, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.value`)); err != nil || got == want {
			return err
		}
	}
	return fmt.Errorf("type %s: the field holds %q", want, got)
}
