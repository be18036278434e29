package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// TestOwnPagesInABrowser looks at the home page and the error page.
func TestOwnPagesInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	cfg := web.Default()
	cfg.Addr, cfg.Demo = "127.0.0.1:0", true
	s, err := web.New(cfg, web.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	s.Enter(web.Entry{Path: "/", Access: web.Public, Title: map[web.Lang]string{web.Italian: "Copertura", web.English: "Coverage"}, Summary: map[web.Lang]string{web.Italian: "Dove arriva.", web.English: "Where it reaches."}})
	s.Enter(web.Entry{Path: "/", Access: web.Public, Title: map[web.Lang]string{web.Italian: "Collegamenti", web.English: "Links"}, Summary: map[web.Lang]string{web.Italian: "Come stanno.", web.English: "How they are."}, Staff: true})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	for _, lang := range []string{"it", "en"} {
		b.Check(s.URL() + "/?lang=" + lang)
	}
	bytes, requests := b.Weight(s.URL() + "/")
	t.Logf("first page: %d bytes in %d requests", bytes, requests)
	if s.Plain() == "" && bytes > 60<<10 {
		t.Errorf("the first page weighs %d bytes, more than 60 KB", bytes)
	}
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, w := range browsertest.Widths {
			b.Screenshot(s.URL()+"/", w, filepath.Join(dir, fmt.Sprintf("home-%d.png", w)))
		}
		b.ScreenshotDark(s.URL()+"/", 360, filepath.Join(dir, "home-dark-360.png"))
		b.Screenshot(s.URL()+"/nothing", 360, filepath.Join(dir, "error-360.png"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
