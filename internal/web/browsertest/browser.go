// Package browsertest looks at pages with a real Chromium that can reach
// nothing but this machine: console errors, lost requests, strangers' hosts,
// boxes that overlap or stick out, pages without JavaScript, and the rules of
// axe-core. It is for tests only.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/crinale/crinale/internal/testdata"
)

// Widths are those of a phone, a tablet and a desk, in CSS pixels.
var Widths = []int{360, 768, 1280}

const (
	height   = 900             // of the window
	patience = 4 * time.Minute // for one look at one page, on the slowest machine
	settled  = 150 * time.Millisecond
	stirred  = 40 * time.Millisecond // after a key or a change of width
)

// Browser is a running Chromium. It ends with its test.
type Browser struct {
	t   testing.TB
	ctx context.Context
	axe string // source of axe-core; "" when npm did not fetch it
}

// Open starts Chromium. Without one the test is skipped with a loud line, and
// fails with CRINALE_REAL=all.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		absent(t, "Chromium not found: install the package chromium, or set CRINALE_CHROMIUM to its path")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("accept-lang", "it-IT"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the process, so that its folder can go
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	// The first tab never has the focus by itself.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	b := &Browser{t: t, ctx: ctx}
	if src, err := os.ReadFile(axePath()); err == nil {
		b.axe = string(src)
	} else if testdata.Real() {
		t.Fatalf("axe-core is missing and CRINALE_REAL=all: run `make assets`: %v", err)
	} else {
		t.Logf("NOT TESTED: axe-core is missing, run `make assets` (%v)", err)
	}
	return b
}

func find() string {
	if p := os.Getenv("CRINALE_CHROMIUM"); p != "" {
		return p
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

func absent(t testing.TB, why string) {
	t.Helper()
	if testdata.Real() {
		t.Fatalf("CRINALE_REAL=all: %s", why)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s", why)
}

// axePath is where `make assets` puts axe-core.
func axePath() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "node_modules", "axe-core", "axe.min.js")
}

// look is how a page is looked at.
type look struct {
	width    int
	dark     bool
	noScript bool
	fresh    bool // nothing from the cache
	again    bool // the page stands, and all rules held in another look
}

func (l look) String() string {
	s := fmt.Sprintf("%d px", l.width)
	if l.dark {
		s += ", dark"
	}
	if l.noScript {
		s += ", no JavaScript"
	}
	return s
}

// tab opens a page in the one tab there is (a fresh one for each page takes
// twice as long) and waits until it is quiet.
// No address: it is the page that stands there.
func (b *Browser) tab(url string, l look, then func(ctx context.Context, seen *seen) error) error {
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	s, err := watch(ctx)
	if err != nil {
		return fmt.Errorf("open a tab: %w", err)
	}
	if err := dress(ctx, l, height); err != nil {
		return fmt.Errorf("open a tab: %w", err)
	}
	if url == "" {
		return then(ctx, s)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("open %s (%v): %w", url, l, err)
	}
	if err := s.whole(ctx, settled); err != nil {
		return fmt.Errorf("open %s (%v): %w", url, l, err)
	}
	return then(ctx, s)
}

// dress gives the tab its size, its scheme and its scripts.
func dress(ctx context.Context, l look, height int64) error {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(l.width), Height: height, DeviceScaleFactor: 1, Mobile: l.width < 600,
	})
	if err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: l.fresh}); err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript})
	return err
}

// Screenshot writes a PNG of the whole page at a width, light scheme.
func (b *Browser) Screenshot(url string, width int, file string) {
	b.t.Helper()
	b.shoot(url, look{width: width}, file)
}

// ScreenshotDark is Screenshot in the dark scheme.
func (b *Browser) ScreenshotDark(url string, width int, file string) {
	b.t.Helper()
	b.shoot(url, look{width: width, dark: true}, file)
}

// ScreenshotNoScript is Screenshot with JavaScript off.
func (b *Browser) ScreenshotNoScript(url string, width int, file string) {
	b.t.Helper()
	b.shoot(url, look{width: width, noScript: true}, file)
}

func (b *Browser) shoot(url string, l look, file string) {
	b.t.Helper()
	err := b.tab(url, l, func(ctx context.Context, _ *seen) error { return capture(ctx, l, file) })
	if err != nil {
		b.t.Errorf("screenshot of %s: %v", url, err)
	}
}

// capture writes a PNG of the whole page as it is now.
func capture(ctx context.Context, l look, file string) error {
	size, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return err
	}
	if err := dress(ctx, l, max(int64(size.CSSContentSize.Height), height)); err != nil {
		return err
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	if png, err = shrink(png); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644)
}
