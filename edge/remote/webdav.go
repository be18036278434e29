package remote

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// WebDAV reads and writes documents of a WebDAV server (RFC 4918), such as
// Nextcloud.
type WebDAV struct {
	base           *url.URL
	user, password string
	groups         Groups
	client         *http.Client
}

// NewWebDAV is a client of the folder at address. client nil: one that follows no
// redirect and waits a minute for the head of an answer.
func NewWebDAV(address, user, password string, groups Groups, client *http.Client) (*WebDAV, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, fault.New(fault.Invalid, "WebDAV address %q: write https://SERVER/PATH, user and password apart", address)
	}
	if client == nil {
		client = &http.Client{Transport: Paced(nil, 0)}
	}
	own := *client
	// A redirect could carry the password to another server.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return &WebDAV{base: u, user: user, password: password, groups: groups, client: &own}, nil
}

func (w *WebDAV) do(ctx context.Context, method, path string, slash bool, body io.Reader, head http.Header) (*http.Response, error) {
	u := *w.base
	if path != "" {
		u.Path += "/" + path
	}
	if slash {
		u.Path += "/"
	}
	// JoinPath and String would clean or leave dots; each part is escaped by itself.
	parts := strings.Split(u.Path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	u.RawPath = strings.Join(parts, "/")
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fault.As(fault.Invalid, err)
	}
	for k, v := range head {
		req.Header[k] = v
	}
	// What is compressed on the way has another length than promised.
	req.Header.Set("Accept-Encoding", "identity")
	if w.user != "" {
		req.SetBasicAuth(w.user, w.password)
	}
	if n, err := strconv.ParseInt(req.Header.Get("Content-Length"), 10, 64); err == nil {
		if req.ContentLength = n; n == 0 {
			req.Body = http.NoBody
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, fault.New(fault.Unreachable, "%s %q: %w", method, path, err)
	}
	return resp, nil
}

// List walks the folders, one PROPFIND of depth 1 for each.
func (w *WebDAV) List(ctx context.Context) iter.Seq2[edge.Document, error] {
	return func(yield func(edge.Document, error) bool) {
		for todo := []string{""}; len(todo) > 0; {
			folder := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			all, err := w.folder(ctx, folder)
			if err != nil {
				yield(edge.Document{}, err)
				return
			}
			for _, m := range all {
				if m.folder && m.Problem == "" && edge.CheckPath(m.Path) == nil {
					todo = append(todo, m.Path)
					continue
				}
				m.Groups = w.groups.of(m.Path)
				if !yield(m.Document, nil) {
					return
				}
			}
		}
	}
}

func (w *WebDAV) folder(ctx context.Context, folder string) ([]member, error) {
	resp, err := w.do(ctx, "PROPFIND", folder, true, strings.NewReader(askProps),
		http.Header{"Depth": {"1"}, "Content-Type": {"application/xml"}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := answered("list", folder, resp.StatusCode); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusMultiStatus {
		return nil, fault.New(fault.Refused, "list %q: the server answers %d, not 207: is this the WebDAV address?", folder, resp.StatusCode)
	}
	return parseListing(resp.Body, w.base.Path, folder)
}

// Open asks for a document, from an offset by Range (RFC 9110 §14).
func (w *WebDAV) Open(ctx context.Context, doc edge.Document, offset int64) (io.ReadCloser, edge.Document, error) {
	if err := edge.CheckPath(doc.Path); err != nil {
		return nil, doc, err
	}
	head := http.Header{}
	want := doc.ETag
	if strong(want) {
		head.Set("If-Match", want)
	}
	if offset > 0 {
		head.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := w.do(ctx, http.MethodGet, doc.Path, false, nil, head)
	if err != nil {
		return nil, doc, err
	}
	doc, err = opened(doc, resp, offset)
	if err == nil && want != "" && doc.ETag != "" && doc.ETag != want {
		err = fault.New(fault.Conflict, "get %q: it changed since it was listed", doc.Path)
	}
	// A server that knows no ranges gives the whole.
	if err == nil && offset > 0 && resp.StatusCode == http.StatusOK {
		if _, err = io.CopyN(io.Discard, resp.Body, offset); err != nil {
			err = fault.New(fault.Unreachable, "get %q: %w", doc.Path, err)
		}
	}
	if err != nil {
		resp.Body.Close()
		return nil, doc, err
	}
	return resp.Body, doc, nil
}

func strong(etag string) bool { return strings.HasPrefix(etag, `"`) }

// opened reads the head of an answer to GET.
func opened(doc edge.Document, resp *http.Response, offset int64) (edge.Document, error) {
	if err := answered("get", doc.Path, resp.StatusCode); err != nil {
		return doc, err
	}
	doc.ETag, doc.Size = resp.Header.Get("ETag"), resp.ContentLength
	if resp.StatusCode == http.StatusPartialContent {
		var first, last, whole int64
		if n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &whole); n != 3 || first != offset || last != whole-1 {
			return doc, fault.New(fault.Refused, "get %q: another part than asked came: Content-Range %q", doc.Path, resp.Header.Get("Content-Range"))
		}
		doc.Size = whole
	}
	if t, ok := edge.ParseDate(resp.Header.Get("Last-Modified"), time.Unix(0, 0)); ok {
		doc.Modified = t.UTC()
	}
	if sum := ocSum(resp.Header.Get("OC-Checksum"), edge.Sum{}); sum.Algo != "" {
		doc.Sum = sum
	} else if b, err := base64.StdEncoding.DecodeString(resp.Header.Get("Content-MD5")); err == nil && len(b) == 16 && resp.StatusCode == http.StatusOK {
		doc.Sum = edge.Sum{Algo: "md5", Hex: hex.EncodeToString(b)}
	}
	return doc, nil
}

// Names are the rules of Nextcloud with the characters that Windows clients
// cannot write.
func (w *WebDAV) Names() edge.NameRules {
	return edge.NameRules{Path: 4000, Segment: 250, Reserved: `\:*?"<>|`, Windows: true, FoldCase: true}
}

// Put writes beside the document and moves it into place, so that a cut never
// leaves half a document.
func (w *WebDAV) Put(ctx context.Context, path string, size int64, sum string, body io.Reader) error {
	if err := edge.CheckPath(path); err != nil {
		return err
	}
	name := sha256.Sum256([]byte(path))
	draft := ".crinale-" + hex.EncodeToString(name[:16])
	folder := ""
	for i := range len(path) {
		if path[i] == '/' {
			folder = path[:i]
			if err := w.ask(ctx, "MKCOL", folder, nil, http.StatusMethodNotAllowed); err != nil {
				return err
			}
		}
	}
	if folder != "" {
		draft = folder + "/" + draft
	}
	resp, err := w.do(ctx, http.MethodPut, draft, false, body, http.Header{
		"Content-Length": {strconv.FormatInt(size, 10)}, "Content-Type": {"application/octet-stream"}, "Oc-Checksum": {"SHA256:" + sum}})
	if err != nil {
		return err
	}
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	resp.Body.Close()
	if err := answered("put", path, resp.StatusCode); err != nil {
		return err
	}
	to := *w.base
	parts := strings.Split(w.base.Path+"/"+path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	to.Path, to.RawPath = w.base.Path+"/"+path, strings.Join(parts, "/")
	return w.ask(ctx, "MOVE", draft, http.Header{"Destination": {to.String()}, "Overwrite": {"T"}}, 0)
}

// ask sends a request without a body; fine is a status that is no error.
func (w *WebDAV) ask(ctx context.Context, method, path string, head http.Header, fine int) error {
	resp, err := w.do(ctx, method, path, false, nil, head)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fault.New(fault.Unreachable, "%s %q: %w", method, path, err)
	}
	if resp.StatusCode == fine {
		return nil
	}
	return answered(strings.ToLower(method), path, resp.StatusCode)
}

var (
	_ edge.Source = (*WebDAV)(nil)
	_ edge.Target = (*WebDAV)(nil)
)
