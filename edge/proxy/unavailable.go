package proxy

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/edge"
)

// unavailable says that a page is not here and cannot be had now, in words for
// those who read pages.
func (v *visit) unavailable(status int, detail string) {
	h := v.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Cache-Status", edge.Status{Cache: v.p.cfg.Name, Detail: detail}.String())
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "60")
	}
	if !edge.TakesHTML(v.q.Header) {
		http.Error(v.w, http.StatusText(status)+": "+detail, status)
		return
	}
	since := v.p.reaches[v.s.Host].lostSince()
	if s := v.p.stand(); s.Mode == edge.ModeOffline {
		since = s.Since
	}
	page := unavailablePage{Host: v.s.Host, Write: v.q.Method != http.MethodGet && v.q.Method != http.MethodHead}
	if !since.IsZero() {
		page.Since = edge.SinceWords(since.In(v.p.cfg.Zone), time.Now().In(v.p.cfg.Zone))
	}
	var b bytes.Buffer
	if err := unavailableTemplate.Execute(&b, page); err != nil {
		panic(err) // the template is ours, and takes any text
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes())
}

type unavailablePage struct {
	Host, Since string
	Write       bool
}

var unavailableTemplate = template.Must(template.New("").Parse(`<!doctype html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pagina non disponibile ora</title>
<style>
body{margin:0;padding:2rem 1rem;font:1.125rem/1.5 system-ui,sans-serif;color:#17324d;background:#fff}
main{max-width:38rem;margin:auto}
h1{font-size:1.6rem;line-height:1.25}
p.en{color:#435a70;font-size:1rem;border-top:1px solid #c5c7c9;padding-top:1rem;margin-top:2rem}
code{overflow-wrap:anywhere}
</style>
</head>
<body>
<main>
<h1>{{if .Write}}Non è stato possibile inviare{{else}}Questa pagina ora non si può aprire{{end}}</h1>
<p>Il servizio <code>{{.Host}}</code> non è raggiungibile{{if .Since}} {{.Since}}{{end}}.</p>
{{if .Write}}<p><strong>I dati che ha inviato non sono stati registrati.</strong> Torni indietro e riprovi quando il collegamento è tornato; se è urgente, telefoni al suo comune.</p>
{{else}}<p>Di questa pagina il comune non ha una copia salvata. Riprovi tra qualche minuto; se è urgente, telefoni al suo comune.</p>
{{end}}<p class="en" lang="en">The service cannot be reached now{{if .Write}}, and what you sent was not recorded{{end}}. Please try again later.</p>
</main>
</body>
</html>
`))
