package edge

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	for _, tt := range []struct{ window, at, day string }{
		{"", "2026-11-23 12:00", "2026-11-23"},
		{"22:00-06:00", "2026-11-23 22:00", "2026-11-23"},
		{"22:00-06:00", "2026-11-24 05:59", "2026-11-23"},
		{"22:00-06:00", "2026-11-24 06:00", ""},
		{"22:00-06:00", "2026-11-24 21:59", ""},
		{"12:30-13:15", "2026-11-24 12:30", "2026-11-24"},
		{"12:30-13:15", "2026-11-24 13:15", ""},
		{"00:00-00:00", "2026-11-24 13:15", "2026-11-24"},
	} {
		w, ok := ParseWindow(tt.window)
		at, err := time.Parse("2006-01-02 15:04", tt.at)
		if err != nil || !ok {
			t.Fatal(tt, err)
		}
		if day, ok := w.Of(at); ok != (tt.day != "") || ok && day != tt.day {
			t.Errorf("%q at %s: %q, %v", tt.window, tt.at, day, ok)
		}
	}
	if _, ok := ParseWindow("25:00-01:00"); ok {
		t.Error("25:00 is an hour")
	}
}

func TestBackgroundYields(t *testing.T) {
	for _, tt := range []struct {
		s    Stand
		want int64
	}{
		{Stand{Mode: ModeOnline}, 1 << 62},
		{Stand{Mode: ModeOnline, Mbps: 30}, 1_875_000},
		{Stand{Mode: ModeOnline, Mbps: 1e-9}, 1},
		{Stand{Mode: ModeDegraded, Mbps: 30}, 0},
		{Stand{Mode: ModeOffline}, 0},
		{Stand{Mode: ModeDraining, Mbps: 30}, 0},
	} {
		if got := tt.s.Background(); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.s, got, tt.want)
		}
	}
}

func TestSitemap(t *testing.T) {
	m, err := ParseSitemap(strings.NewReader(`<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc> https://docs.example/albo/?a=1&amp;b=2 </loc><lastmod>2026-11-01</lastmod></url>
<url><loc>https://other.example/x</loc></url><url><loc>https://u:p@docs.example/x</loc></url><url><loc>javascript:x</loc></url>
<url><loc>https://DOCS.example</loc></url></urlset>`), "docs.example")
	if err != nil || !slices.Equal(m.Pages, []string{"/albo/?a=1&b=2", "/"}) || m.Maps != nil {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = ParseSitemap(strings.NewReader(`<sitemapindex><sitemap><loc>https://docs.example/a.xml</loc></sitemap></sitemapindex>`), "docs.example")
	if err != nil || !slices.Equal(m.Maps, []string{"/a.xml"}) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{
		"", "<urlset>", "<urlset><url></urlset>", "plain", strings.Repeat("<a>", 20), "<urlset><url><loc>&xxe;</loc></url></urlset>",
		"<urlset>" + strings.Repeat("<url><loc>https://docs.example/x</loc></url>", mostSitemapURLs+1) + "</urlset>",
	} {
		if _, err := ParseSitemap(strings.NewReader(bad), "docs.example"); err == nil && bad != "" && bad != "plain" {
			t.Errorf("%.40q is taken", bad)
		}
	}
}

func FuzzSitemap(f *testing.F) {
	f.Add("<urlset><url><loc>https://docs.example/a</loc></url></urlset>")
	f.Fuzz(func(t *testing.T, s string) {
		m, _ := ParseSitemap(strings.NewReader(s), "docs.example")
		for _, p := range append(m.Pages, m.Maps...) {
			if p == "" || p[0] != '/' && p[0] != '?' {
				t.Errorf("%q is no path", p)
			}
		}
	})
}
