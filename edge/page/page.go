// Package page shows employees how their edge stands: whether the way out works,
// since when not, what they can do meanwhile.
package page

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Standing is what is shown.
type Standing struct {
	Name     string // of the edge
	Stand    edge.Stand
	Services []Service
	Stored   int64 // bytes of saved copies
	Objects  int64
	Saved    int64   // bytes that did not cross the link this month
	Mbps     float64 // that the link carries
	Waiting  int     // writes that wait to be sent
	Spent    int64   // bytes over the second way this month
	Cap      int64   // of the second way; 0: there is none
	Heard    *Heard  // nil: no controller is heard
}

// Service is one of the services.
type Service struct {
	Host    string
	Offline string        // what is given offline, as edge.yaml says it
	Until   time.Duration // of "until"
	Lost    time.Time     // since when its origin does not answer; zero: it does
}

// Config is where people read the clock.
type Config struct{ Zone *time.Location }

// Deps are what a Page shows.
type Deps struct{ Now func() Standing }

// Page is the handler of the status page.
type Page struct {
	cfg  Config
	deps Deps
}

// New makes the page.
func New(c Config, d Deps) (*Page, error) {
	if d.Now == nil {
		return nil, fault.New(fault.Invalid, "status page: there is nothing to show")
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	return &Page{c, d}, nil
}

// ServeHTTP shows how the edge stands.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	s := p.deps.Now()
	v := view{Standing: s, Title: titles[s.Stand.Mode], Tone: tones[s.Stand.Mode], Now: time.Now().In(p.cfg.Zone).Format("15:04"),
		Since: p.since(s.Stand.Since), Second: s.Stand.Way == edge.WaySecond, StoredText: amount(s.Stored)}
	if s.Cap > 0 {
		v.SpentText = fmt.Sprintf("%s di %s questo mese", amount(s.Spent), amount(s.Cap))
	}
	if s.Heard != nil {
		v.HeardText = s.Heard.words(p)
	}
	if s.Saved > 0 {
		v.SavedText = fmt.Sprintf("%s, cioè %.0f minuti di linea", amount(s.Saved), math.Ceil(edge.LinkMinutes(s.Saved, s.Mbps)))
	}
	for _, o := range s.Services {
		v.Rows = append(v.Rows, p.row(s, o))
	}
	var b bytes.Buffer
	if err := layout.Execute(&b, v); err != nil {
		panic(err) // the template is ours, and takes any text
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
}

type view struct {
	Standing
	Title, Tone, Now, Since, SpentText, StoredText, SavedText, HeardText string
	Second                                                               bool
	Rows                                                                 []row
}

type row struct{ Host, State, Tone, Saved string }

var titles = [...]string{
	edge.ModeOnline:   "Il collegamento funziona",
	edge.ModeDegraded: "Il collegamento è ridotto",
	edge.ModeOffline:  "Il collegamento è interrotto",
	edge.ModeDraining: "Il collegamento è tornato: si stanno inviando i dati in attesa",
}

var tones = [...]string{edge.ModeOnline: "ok", edge.ModeDegraded: "warn", edge.ModeOffline: "bad", edge.ModeDraining: "warn"}

func (p *Page) row(s Standing, o Service) row {
	r := row{Host: o.Host, State: "raggiungibile", Tone: "ok"}
	switch {
	case s.Stand.Mode == edge.ModeOffline:
		r.State, r.Tone = "non raggiungibile", "bad"
	case !o.Lost.IsZero():
		r.State, r.Tone = "non risponde "+p.since(o.Lost), "bad"
	}
	switch edge.OfflineRule(o.Offline) {
	case edge.OfflineNever:
		r.Saved = "nessuna: si apre solo con il collegamento"
	case edge.OfflineUntil:
		days := int(o.Until / (24 * time.Hour))
		r.Saved = fmt.Sprintf("le pagine viste negli ultimi %d giorni", days)
		if days <= 1 {
			r.Saved = "le pagine viste nell’ultimo giorno"
		}
	default:
		r.Saved = "le pagine che il servizio permette di conservare"
	}
	return r
}

// since is since when something lasts, in words.
func (p *Page) since(t time.Time) string {
	return edge.SinceWords(t.In(p.cfg.Zone), time.Now().In(p.cfg.Zone))
}

// amount is a number of bytes as people write it here.
func amount(n int64) string {
	switch {
	case n < 1_000_000:
		return strconv.FormatInt((n+999)/1000, 10) + " kB"
	case n < 1_000_000_000:
		return strconv.FormatInt(n/1_000_000, 10) + " MB"
	}
	return strconv.FormatInt(n/1_000_000_000, 10) + "," + strconv.FormatInt(n%1_000_000_000/100_000_000, 10) + " GB"
}

var layout = template.Must(template.New("").Parse(`<!doctype html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="30">
<title>{{.Title}}</title>
<style>
body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;color:#17324d;background:#fff}
main{max-width:44rem;margin:auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2rem 0 .5rem}
.ok,.warn,.bad{border-left:.5rem solid;padding:1rem 1.25rem;background:#f5f8fa}
.ok{border-color:#007a52}.warn{border-color:#995c00}.bad{border-color:#b3263c}
.head p{margin:.25rem 0}
table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:600;padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid #c5c7c9;overflow-wrap:anywhere}
td.s-ok{color:#005c3d}td.s-bad{color:#8a1a2d;font-weight:600}
@media(max-width:36rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tr{display:block;padding:.5rem 0;border-bottom:1px solid #c5c7c9}th,td{display:block;border:0;padding:.1rem 0}}
footer{margin-top:2rem;color:#435a70;font-size:.95rem}
</style>
</head>
<body>
<main>
<div class="head {{.Tone}}">
<h1>{{.Title}}</h1>
<p>{{.Since}}{{if .Second}}, sulla seconda via (a consumo){{end}}.</p>
</div>
{{if eq .Tone "bad"}}<h2>Che cosa si può fare ora</h2>
<ul>
<li>Aprire le pagine già viste: in alto portano scritto quando sono state salvate.</li>
<li>Ciò che si invia e può attendere riceve un numero e parte da solo quando il collegamento torna.</li>
<li>Pagamenti, firme e accessi con SPID o CIE non funzionano finché il collegamento non torna.</li>
</ul>
{{else if .Second}}<p>Aggiornamenti e copie attendono che torni la via principale.</p>
{{end}}{{with .HeardText}}<p>{{.}}</p>
{{end}}{{if .Waiting}}<p><strong>{{.Waiting}}</strong> {{if eq .Waiting 1}}invio in attesa{{else}}invii in attesa{{end}}.</p>
{{end}}<h2>Servizi</h2>
<table>
<thead><tr><th scope="col">Servizio</th><th scope="col">Ora</th><th scope="col">Copie salvate</th></tr></thead>
<tbody>
{{range .Rows}}<tr><th scope="row">{{.Host}}</th><td class="s-{{.Tone}}">{{.State}}</td><td>{{.Saved}}</td></tr>
{{end}}</tbody>
</table>
<footer>
<p>{{.Objects}} pagine salvate, {{.StoredText}}.{{with .SavedText}} Questo mese non hanno occupato il collegamento {{.}}.{{end}}{{with .SpentText}} Seconda via: {{.}}.{{end}} Ore {{.Now}}, nodo {{.Name}}. La pagina si aggiorna da sola.</p>
<p>Le copie salvate servono a continuare a lavorare: non sono conservazione a norma dei documenti.</p>
</footer>
</main>
</body>
</html>
`))
