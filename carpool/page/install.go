package page

import (
	"encoding/json"
	"net/http"

	"github.com/crinale/crinale/internal/web"
)

// manifest is GET /passaggi/manifest.webmanifest: what a phone needs to put the
// portal on its first screen.
func (p *Pages) manifest(v *visit) error {
	b, err := json.Marshal(map[string]any{
		"name": v.say.word("pool.title"), "short_name": v.say.word("pool.nav"), "lang": string(v.say.lang), "description": v.say.word("pool.summary"),
		"id": minePath, "start_url": minePath, "scope": searchPath, "display": "minimal-ui",
		"theme_color": "#0066cc", "background_color": "#ffffff",
		"icons": []any{map[string]any{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"}},
	})
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/manifest+json")
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Language")
	h.Add("Vary", "Cookie")
	web.Bytes(v.w, v.r, append(b, '\n'), web.Tag(b))
	return nil
}

// worker is GET /passaggi/sw.js: the service worker must stand above the pages
// it serves.
func (p *Pages) worker(v *visit) error {
	b, err := files.ReadFile("assets/sw.js")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Service-Worker-Allowed", searchPath)
	h.Set("Cache-Control", "no-cache")
	web.Bytes(v.w, v.r, b, web.Tag(b))
	return nil
}

// offline is GET /passaggi/senza-rete: what is shown where there is neither
// network nor a copy of the rides.
func (p *Pages) offline(v *visit) error {
	return p.show(v, http.StatusOK, "offline.html", web.View{Title: "pool.offline.title", Data: p.cfg.Union})
}
