package remote

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// askProps is the body of a PROPFIND (RFC 4918 §9.1). The checksums are those
// that ownCloud and Nextcloud give.
const askProps = `<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:getetag/><oc:checksums/></d:prop></d:propfind>`

// maxListing is the longest answer to a PROPFIND of one folder.
const maxListing = 64 << 20

type multistatus struct {
	XMLName   xml.Name `xml:"DAV: multistatus"`
	Responses []struct {
		Href      string `xml:"DAV: href"`
		Propstats []struct {
			Status string `xml:"DAV: status"`
			Prop   struct {
				Type struct {
					Collection *struct{} `xml:"DAV: collection"`
				} `xml:"DAV: resourcetype"`
				Length    string   `xml:"DAV: getcontentlength"`
				Modified  string   `xml:"DAV: getlastmodified"`
				ETag      string   `xml:"DAV: getetag"`
				Checksums []string `xml:"http://owncloud.org/ns checksums>checksum"`
			} `xml:"DAV: prop"`
		} `xml:"DAV: propstat"`
	} `xml:"DAV: response"`
}

// member is one line of a listing.
type member struct {
	edge.Document
	folder bool
}

// parseListing reads the answer to a PROPFIND of depth 1 on a folder. base is
// the path of the server's root, folder that of the folder below it, both
// without a slash at the end, folder without one in front. Whatever is not
// directly inside the folder is refused: a server leads nobody out of it.
func parseListing(r io.Reader, base, folder string) ([]member, error) {
	limited := &io.LimitedReader{R: r, N: maxListing}
	var ms multistatus
	if err := xml.NewDecoder(limited).Decode(&ms); err != nil {
		if limited.N <= 0 {
			return nil, fault.New(fault.Refused, "listing of %q: it is longer than %d bytes: split the folder", folder, maxListing)
		}
		return nil, fault.New(fault.Refused, "listing of %q: %w", folder, err)
	}
	var all []member
	for _, r := range ms.Responses {
		m, self, err := where(r.Href, base, folder)
		if err != nil {
			return nil, err
		}
		if self {
			continue
		}
		m.Size = -1
		for _, p := range r.Propstats {
			if f := strings.Fields(p.Status); len(f) < 2 || f[1] != "200" {
				continue
			}
			m.folder = m.folder || p.Prop.Type.Collection != nil
			if n, err := strconv.ParseInt(strings.TrimSpace(p.Prop.Length), 10, 64); err == nil && n >= 0 {
				m.Size = n
			}
			if t, ok := edge.ParseDate(strings.TrimSpace(p.Prop.Modified), time.Unix(0, 0)); ok {
				m.Modified = t.UTC()
			}
			if p.Prop.ETag != "" {
				m.ETag = strings.TrimSpace(p.Prop.ETag)
			}
			for _, line := range p.Prop.Checksums {
				m.Sum = ocSum(line, m.Sum)
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// where turns a href into the path of a member of folder.
func where(href, base, folder string) (m member, self bool, err error) {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return m, false, fault.New(fault.Refused, "listing of %q: href %.200q: %w", folder, href, err)
	}
	outside := fault.New(fault.Refused, "listing of %q: href %.200q is not in the folder: is the address of the server right?", folder, href)
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		name, err := url.PathUnescape(part)
		if err != nil {
			return m, false, outside
		}
		parts = append(parts, name)
	}
	in := strings.FieldsFunc(base+"/"+folder, func(r rune) bool { return r == '/' })
	if len(parts) == 1 && parts[0] == "" {
		parts = nil
	}
	if len(parts) < len(in) || len(parts) > len(in)+1 {
		return m, false, outside
	}
	for i := range in {
		if in[i] != parts[i] {
			return m, false, outside
		}
	}
	if len(parts) == len(in) {
		return m, true, nil
	}
	name := parts[len(in)]
	m.Path = strings.TrimPrefix(folder+"/"+name, "/")
	if strings.Contains(name, "/") {
		m.Problem = "its name holds a slash"
	}
	return m, false, nil
}

// ocSum takes the best sum of a line such as "SHA1:… MD5:… ADLER32:…" or one
// that is already known.
func ocSum(line string, best edge.Sum) edge.Sum {
	rank := map[string]int{"md5": 1, "sha1": 2, "sha256": 3}
	size := map[string]int{"md5": 32, "sha1": 40, "sha256": 64}
	for _, f := range strings.Fields(line) {
		algo, sum, _ := strings.Cut(f, ":")
		algo, sum = strings.ToLower(strings.ReplaceAll(algo, "-", "")), strings.ToLower(sum)
		if len(sum) == size[algo] && rank[algo] > rank[best.Algo] && strings.Trim(sum, "0123456789abcdef") == "" {
			best = edge.Sum{Algo: algo, Hex: sum}
		}
	}
	return best
}

// answered turns a status into an error that says what to do.
func answered(what, path string, status int) error {
	kind, hint := fault.Refused, "see the server's log"
	switch {
	case status < 300:
		return nil
	case status < 400:
		hint = "it points elsewhere: write the address it points to"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		kind, hint = fault.Denied, "look at the user and the password, and at the rights of the folder"
	case status == http.StatusNotFound || status == http.StatusGone:
		kind, hint = fault.NotFound, "it is not there"
	case status == http.StatusPreconditionFailed || status == http.StatusConflict || status == http.StatusLocked:
		kind, hint = fault.Conflict, "it changed meanwhile, or is locked"
	case status == http.StatusInsufficientStorage:
		hint = "the server has no room left"
	case status >= 500 || status == http.StatusTooManyRequests:
		kind, hint = fault.Unreachable, "try again later"
	}
	return fault.New(kind, "%s %q: the server answers %d %s: %s", what, path, status, http.StatusText(status), hint)
}
