package edge

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Bounds of a sitemap: those of sitemaps.org, and of XML that nests for harm.
const (
	mostSitemap      = 50 << 20
	mostSitemapURLs  = 50_000
	mostSitemapDepth = 16
)

// Sitemap is what a service says that it has.
type Sitemap struct {
	Pages []string // paths with their query
	Maps  []string // paths of further sitemaps
}

// ParseSitemap reads a sitemap or an index of them (sitemaps.org 0.9) of a host.
// Addresses of other hosts are left out. Entities beyond those of XML itself are
// refused by the decoder.
func ParseSitemap(r io.Reader, host string) (Sitemap, error) {
	var m Sitemap
	d := xml.NewDecoder(io.LimitReader(r, mostSitemap))
	d.Strict = true
	var path []string
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(path) == 0 {
			return m, nil
		}
		if err != nil {
			return m, fault.New(fault.Invalid, "sitemap of %s: %w", host, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) >= mostSitemapDepth {
				return m, fault.New(fault.Invalid, "sitemap of %s: it nests more than %d deep", host, mostSitemapDepth)
			}
			path = append(path, t.Name.Local)
			text.Reset()
		case xml.CharData:
			if text.Len()+len(t) <= 4096 {
				text.Write(t)
			}
		case xml.EndElement:
			at := strings.Join(path, "/")
			path = path[:len(path)-1]
			page, ok := "", false
			if at == "urlset/url/loc" || at == "sitemapindex/sitemap/loc" {
				page, ok = ofHost(strings.TrimSpace(text.String()), host)
			}
			switch {
			case !ok:
			case len(m.Pages)+len(m.Maps) >= mostSitemapURLs:
				return m, fault.New(fault.Invalid, "sitemap of %s: more than %d addresses", host, mostSitemapURLs)
			case at == "urlset/url/loc":
				m.Pages = append(m.Pages, page)
			default:
				m.Maps = append(m.Maps, page)
			}
			text.Reset()
		}
	}
}

// ofHost is the path and query of an address of a host.
func ofHost(address, host string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Host, host) || u.User != nil || u.Opaque != "" {
		return "", false
	}
	return u.RequestURI(), true
}
