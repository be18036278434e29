package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"golang.org/x/net/webdav"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

var town = Groups(func(path string) []string {
	if strings.HasPrefix(path, "secret/") {
		return nil
	}
	return []string{"town"}
})

// content is what the places hold in the suite. Two names differ only in their
// Unicode form.
func content() map[string]string {
	all := map[string]string{
		"a.txt": "hello", "empty": "", "deep/er/b c.txt": strings.Repeat("0123456789", 10_000),
		"delibere/n° 12 & più #1?.pdf": "x", "100%/a%2Fb+c;d": "percent", "perché.txt": "nfc", "perche\u0301.txt": "nfd",
		"secret/s": "s", "日本/日.txt": "j", "a=b:c'd\"e.txt": "q",
	}
	return all
}

// place is one kind of source, filled.
type place struct {
	source edge.Source
	put    func(path, text string)
	remove func(path string)
	stop   func() // nil: it is a folder, removed instead
}

func put(t *testing.T, dir, path, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func folder(t *testing.T) place {
	dir := t.TempDir()
	return place{NewFolder(dir, town), func(p, s string) { put(t, dir, p, s) }, func(p string) { os.Remove(filepath.Join(dir, p)) }, func() { os.RemoveAll(dir) }}
}

func dav(t *testing.T) place {
	dir := t.TempDir()
	h := &webdav.Handler{Prefix: "/remote.php/dav", FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "mario" || p != "pw" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	c, err := NewWebDAV(srv.URL+"/remote.php/dav/", "mario", "pw", town, nil)
	if err != nil {
		t.Fatal(err)
	}
	return place{c, func(p, s string) { put(t, dir, p, s) }, func(p string) { os.Remove(filepath.Join(dir, p)) }, srv.Close}
}

func bucket(t *testing.T) place {
	back := s3mem.New()
	srv := httptest.NewServer(gofakes3.New(back).Server())
	t.Cleanup(srv.Close)
	if err := back.CreateBucket("docs"); err != nil {
		t.Fatal(err)
	}
	c, err := NewS3(S3Config{Endpoint: strings.TrimPrefix(srv.URL, "http://"), Region: "us-east-1", Bucket: "docs", Prefix: "comune/", Key: "k", Secret: "s", Retries: 1}, town)
	if err != nil {
		t.Fatal(err)
	}
	return place{c, func(p, s string) {
		if err := c.Put(t.Context(), p, int64(len(s)), sum(s), strings.NewReader(s)); err != nil {
			t.Fatal(err)
		}
	}, func(p string) {
		if _, err := back.DeleteObject("docs", "comune/"+p); err != nil {
			t.Fatal(err)
		}
	}, srv.Close}
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func list(t *testing.T, s edge.Source) map[string]edge.Document {
	t.Helper()
	all := map[string]edge.Document{}
	for d, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[d.Path]; twice {
			t.Errorf("%q is listed twice", d.Path)
		}
		all[d.Path] = d
	}
	return all
}

func read(s interface {
	Open(context.Context, edge.Document, int64) (io.ReadCloser, edge.Document, error)
}, d edge.Document, offset int64) (string, edge.Document, error) {
	r, got, err := s.Open(context.Background(), d, offset)
	if err != nil {
		return "", got, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), got, err
}

func TestSources(t *testing.T) {
	for name, make := range map[string]func(*testing.T) place{"folder": folder, "webdav": dav, "s3": bucket} {
		t.Run(name, func(t *testing.T) {
			p := make(t)
			want := content()
			for path, text := range want {
				p.put(path, text)
			}
			all := list(t, p.source)
			if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Fatalf("listed %q", got)
			}
			for path, text := range want {
				d := all[path]
				if d.Size != int64(len(text)) || d.Modified.IsZero() || d.ETag == "" || d.Problem != "" {
					t.Errorf("%q: %+v", path, d)
				}
				if nobody := strings.HasPrefix(path, "secret/"); (len(d.Groups) == 0) != nobody {
					t.Errorf("%q is for %v", path, d.Groups)
				}
				for _, offset := range []int64{0, int64(len(text)) / 2} {
					got, meta, err := read(p.source, d, offset)
					if err != nil || got != text[offset:] || meta.Size != d.Size || meta.ETag != d.ETag {
						t.Errorf("%q from %d: %d bytes, %+v, %v", path, offset, len(got), meta, err)
					}
				}
			}
			old := all["a.txt"]
			p.put("a.txt", "another, longer")
			if _, _, err := read(p.source, old, 0); fault.Of(err) != fault.Conflict {
				t.Errorf("a changed document is given as the old: %v", err)
			}
			p.remove("a.txt")
			for _, path := range []string{"a.txt", "none", "deep/none"} {
				if _, _, err := read(p.source, edge.Document{Path: path}, 0); fault.Of(err) != fault.NotFound {
					t.Errorf("%q: %v", path, err)
				}
			}
			for _, path := range []string{"../x", "/etc/passwd", "a//b", ""} {
				if _, _, err := read(p.source, edge.Document{Path: path}, 0); fault.Of(err) != fault.Invalid {
					t.Errorf("%q: %v", path, err)
				}
			}
			p.stop()
			var last error
			for _, err := range p.source.List(t.Context()) {
				last = err
			}
			if fault.Of(last) != fault.Unreachable || last == nil {
				t.Errorf("a source that is gone lists: %v", last)
			}
		})
	}
}

func TestFolderFollowsNoLink(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	put(t, out, "x", "outside")
	if err := os.Symlink(filepath.Join(out, "x"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	f := NewFolder(dir, town)
	if all := list(t, f); all["link"].Problem == "" {
		t.Errorf("a link is listed as a document: %+v", all)
	}
	if s, _, err := read(f, edge.Document{Path: "link"}, 0); err == nil {
		t.Errorf("a link out of the folder gives %q", s)
	}
}

func TestTargets(t *testing.T) {
	for name, make := range map[string]func(*testing.T) place{"webdav": dav, "s3": bucket} {
		t.Run(name, func(t *testing.T) {
			p := make(t)
			target := p.source.(edge.Target)
			for path, text := range content() {
				for _, text := range []string{"old " + text, text} {
					if err := target.Put(t.Context(), path, int64(len(text)), sum(text), strings.NewReader(text)); err != nil {
						t.Fatalf("%q: %v", path, err)
					}
					if got, _, err := read(target, edge.Document{Path: path}, 0); err != nil || got != text {
						t.Fatalf("%q: %d bytes, %v", path, len(got), err)
					}
				}
			}
			// What ends before its length leaves the old in place.
			if err := target.Put(t.Context(), "a.txt", 100, sum("x"), strings.NewReader("short")); err == nil {
				t.Error("a cut body is taken")
			}
			if got, _, err := read(target, edge.Document{Path: "a.txt"}, 0); err != nil || got != "hello" {
				t.Errorf("after a cut body: %q, %v", got, err)
			}
		})
	}
}

func TestWebDAVSaysWhatIsWrong(t *testing.T) {
	status := http.StatusUnauthorized
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/stolen")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	c, err := NewWebDAV(srv.URL, "u", "p", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for s, kind := range map[int]fault.Kind{401: fault.Denied, 302: fault.Refused, 503: fault.Unreachable, 412: fault.Conflict, 404: fault.NotFound, 200: fault.Refused} {
		status = s
		for _, err := range c.List(t.Context()) {
			if fault.Of(err) != kind || err == nil {
				t.Errorf("%d: %v", s, err)
			}
		}
	}
	for _, bad := range []string{"", "ftp://x/", "http://u:p@x/", "http://x/?q", "/path"} {
		if _, err := NewWebDAV(bad, "", "", nil, nil); fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func listing(hrefs ...string) string {
	var b strings.Builder
	b.WriteString(`<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">`)
	for _, h := range hrefs {
		fmt.Fprintf(&b, `<d:response><d:href>%s</d:href><d:propstat><d:prop><d:getcontentlength>5</d:getcontentlength><d:getetag>"e"</d:getetag>`+
			`<oc:checksums><oc:checksum>MD5:%032d SHA1:%040d</oc:checksum></oc:checksums></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`, h, 1, 2)
	}
	return b.String() + `</d:multistatus>`
}

func TestListingLeadsNobodyOut(t *testing.T) {
	got, err := parseListing(strings.NewReader(listing("/dav/in/", "/dav/in/a%20b", "http://other/dav/in/c", "/dav/in/x%2Fy", "/dav/in/%2E%2E")), "/dav", "in")
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].Path != "in/a b" || got[0].Size != 5 || got[0].Sum != (edge.Sum{Algo: "sha1", Hex: fmt.Sprintf("%040d", 2)}) || got[2].Problem == "" || edge.CheckPath(got[3].Path) == nil {
		t.Errorf("%+v", got)
	}
	for _, h := range []string{"/dav/other/a", "/dav/in/a/b", "/", "/dav/", "%zz", "../x", "/dav/in/../../etc"} {
		if got, err := parseListing(strings.NewReader(listing(h)), "/dav", "in"); err == nil {
			t.Errorf("%q is taken: %+v", h, got)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add([]byte(listing("/dav/in/", "/dav/in/a")), "in")
	f.Add([]byte(`<multistatus xmlns="DAV:"><response/></multistatus>`), "")
	f.Add([]byte("<"), "")
	f.Fuzz(func(t *testing.T, data []byte, folder string) {
		if strings.HasPrefix(folder, "/") || strings.HasSuffix(folder, "/") || folder != "" && edge.CheckPath(folder) != nil {
			return
		}
		all, err := parseListing(bytes.NewReader(data), "/dav", folder)
		if err != nil {
			return
		}
		for _, m := range all {
			if folder != "" && !strings.HasPrefix(m.Path, folder+"/") {
				t.Errorf("%q is outside of %q", m.Path, folder)
			}
			if m.Size < -1 {
				t.Errorf("%+v", m)
			}
		}
	})
}
