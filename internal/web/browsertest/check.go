package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/chromedp/chromedp"
)

// boxes is a function that lists boxes of text that overlap, stick out of
// the window, or are cut.
//
//go:embed boxes.js
var boxes string

// focus is a function that lists what the keyboard reaches without being seen.
//
//go:embed focus.js
var focus string

// Check looks at a page at each width (none given: Widths), in the light and
// the dark scheme, and once more without JavaScript, and fails on all that is
// wrong.
func (b *Browser) Check(url string, widths ...int) {
	b.t.Helper()
	if len(widths) == 0 {
		widths = Widths
	}
	if res, err := http.Get(url); err != nil {
		b.t.Errorf("open %s: %v", url, err)
		return
	} else {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			b.t.Errorf("open %s: %s", url, res.Status)
			return
		}
	}
	looks := make([]look, 0, len(widths)+1)
	for _, w := range widths {
		looks = append(looks, look{width: w})
	}
	b.check(url, append(looks, look{width: widths[0], dark: true})...)
	b.check(url, look{width: widths[0], noScript: true})
}

// Look loads a page once with its scripts, and holds it at each of Widths.
func (b *Browser) Look(url string) {
	b.t.Helper()
	looks := make([]look, len(Widths))
	for i, w := range Widths {
		looks[i] = look{width: w}
	}
	b.check(url, looks...)
}

// check loads a page once and looks at it in several ways, as a window is
// made wider or its scheme is changed.
func (b *Browser) check(url string, looks ...look) {
	b.t.Helper()
	err := b.tab(url, looks[0], func(ctx context.Context, s *seen) error {
		for i, l := range looks {
			if l.again = i > 0; l.again {
				if err := redress(ctx, s, l); err != nil {
					return fmt.Errorf("%v: %w", l, err)
				}
			}
			found, err := b.inspect(ctx, l)
			if err != nil {
				return fmt.Errorf("%v: %w", l, err)
			}
			for _, line := range found {
				b.t.Errorf("%s (%v): %s", url, l, line)
			}
		}
		for _, line := range s.report() {
			b.t.Errorf("%s (%v): %s", url, looks[0], line)
		}
		return nil
	})
	if err != nil {
		b.t.Errorf("check %s: %v", url, err)
	}
}

// redress changes the look of a page that stands, and waits until it is drawn.
func redress(ctx context.Context, s *seen, l look) error {
	if err := dress(ctx, l, height); err != nil {
		return err
	}
	const drawn = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](drawn, chromedp.EvalAwaitPromise)); err != nil {
		return err
	}
	return s.quiet(ctx, stirred)
}

func (b *Browser) inspect(ctx context.Context, l look) ([]string, error) {
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](call(boxes)))
	if err != nil {
		return nil, fmt.Errorf("look for overlapping boxes: %w", err)
	}
	if l.noScript {
		return found, nil
	}
	unseen, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](call(focus)))
	if err != nil {
		return nil, fmt.Errorf("look at the focus: %w", err)
	}
	found = append(found, unseen...)
	if b.axe == "" {
		return found, nil
	}
	violations, err := b.runAxe(ctx, l)
	return append(found, violations...), err
}

// runAxe asks axe-core for violations of WCAG 2.2 A and AA and of its best
// practices. It takes ten times as long as all other looks, and most of that
// is contrast: so a page seen before is held to all rules but contrast at the
// largest width, and to contrast alone in the dark.
func (b *Browser) runAxe(ctx context.Context, l look) ([]string, error) {
	rules := `rules: {}`
	switch {
	case !l.again:
	case l.dark:
		rules = `runOnly: {type: "rule", values: ["color-contrast"]}`
	case l.width == Widths[len(Widths)-1]:
		rules = `rules: {"color-contrast": {enabled: false}}`
	default:
		return nil, nil
	}
	script := `axe.run(document, {resultTypes: ["violations"], ` + rules + `}).then(r => JSON.stringify(r.violations.map(v => ({
		id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.target.join(" ") + " | " + n.failureSummary.replace(/\s+/g, " "))}))))`
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`typeof axe === "object"`))
	if err == nil && !there {
		err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](b.axe+";0"))
	}
	if err != nil {
		return nil, fmt.Errorf("load axe: %w", err)
	}
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("run axe: %w", err)
	}
	var violations []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(out), &violations); err != nil {
		return nil, fmt.Errorf("read axe: %w", err)
	}
	var lines []string
	for _, v := range violations {
		lines = append(lines, fmt.Sprintf("axe %s: %s: %s", v.ID, v.Help, strings.Join(v.Nodes, "; ")))
	}
	return lines, nil
}

// Weight is what a first visit transfers: bytes over the wire with headers,
// and the number of requests.
func (b *Browser) Weight(url string) (bytes, requests int) {
	b.t.Helper()
	err := b.tab(url, look{width: Widths[0], fresh: true}, func(_ context.Context, s *seen) error {
		f, n := s.transferred()
		bytes, requests = int(f), n
		return nil
	})
	if err != nil {
		b.t.Errorf("weigh %s: %v", url, err)
	}
	return bytes, requests
}

// Eval opens a page and gives the value of a JavaScript expression on it,
// awaited when it is a promise.
func Eval[T any](b *Browser, url, expression string) T {
	b.t.Helper()
	var out T
	err := b.tab(url, look{width: Widths[2]}, func(ctx context.Context, _ *seen) (err error) {
		out, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	})
	if err != nil {
		b.t.Errorf("evaluate on %s: %v", url, err)
	}
	return out
}

func call(function string) string { return "(" + function + ")()" }
