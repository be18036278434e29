package page

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// A session may end while somebody fills in a form. What they sent then goes,
// sealed, into a cookie of their own browser; they sign in, and the form comes
// back filled in. Nothing of it stands in an address or on the server, and it
// opens only for the account that the form was made for.
const (
	keptCookie = "modulo"
	keptFor    = 30 * time.Minute
	keptMost   = 3600 // bytes of a cookie's value that every browser takes
	keptInside = 32 << 10
)

// sealer closes and opens what is kept.
type sealer struct{ box cipher.AEAD }

// newSealer takes a key of 32 bytes; without one it makes one for this run.
func newSealer(key []byte) (*sealer, error) {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key)
	}
	if len(key) != 32 {
		return nil, fault.New(fault.Invalid, "carpool pages: key: want 32 bytes, not %d", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.New(fault.Internal, "carpool pages: key: %w", err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.New(fault.Internal, "carpool pages: key: %w", err)
	}
	return &sealer{box}, nil
}

// close seals a text for a purpose.
func (s *sealer) close(text []byte, purpose string) string {
	nonce := make([]byte, s.box.NonceSize())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(s.box.Seal(nonce, nonce, text, []byte(purpose)))
}

// open is the inverse of close; false for what was not sealed for the purpose.
func (s *sealer) open(sealed, purpose string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < s.box.NonceSize() {
		return nil, false
	}
	text, err := s.box.Open(nil, b[:s.box.NonceSize()], b[s.box.NonceSize():], []byte(purpose))
	return text, err == nil
}

// sealFor is the sealed name of whom a form is made for, in its hidden field.
func (p *Pages) sealFor(v *visit) string { return p.seal.close([]byte(v.by.Account), "per") }

// keepForm takes a form of somebody whose session ended, and leads them to
// sign in and back to the form.
func (p *Pages) keepForm(v *visit) error {
	if kind := v.r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		return fault.New(fault.Denied, "%s: sign in first", v.r.URL.Path)
	}
	if err := v.r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return fault.New(fault.Invalid, "form: %w", err)
	}
	account, ok := p.seal.open(v.r.PostForm.Get("per"), "per")
	back := formPage(v.r.URL.Path)
	if ok && back != "" {
		v.r.PostForm.Del("per")
		v.r.PostForm.Del("volta")
		v.r.PostForm.Del("passo")
		if sealed, ok := p.pack(v, string(account)); ok {
			p.keptCookie(v, sealed, int(keptFor.Seconds()))
			return v.on(web.SignInPath + "?dopo=" + url.QueryEscape(back+"?ripresa=1"))
		}
	}
	if back == "" {
		back = minePath
	}
	return v.on(web.SignInPath + "?dopo=" + url.QueryEscape(back))
}

// formPage is the page that shows the form which is sent to a path; "" where
// there is nothing to fill in again.
func formPage(path string) string {
	switch path {
	case askPath, offerPath, carsPath, profilePath:
		return path
	}
	if strings.HasPrefix(path, offersPath+"/") && strings.HasSuffix(path, "/cambia") {
		return path
	}
	return ""
}

func (p *Pages) pack(v *visit, account string) (string, bool) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", false
	}
	head := account + "\n" + strconv.FormatInt(v.now.Add(keptFor).Unix(), 10) + "\n" + formPage(v.r.URL.Path) + "\n"
	if _, err := io.WriteString(z, head+v.r.PostForm.Encode()); err != nil || z.Close() != nil {
		return "", false
	}
	sealed := p.seal.close(b.Bytes(), "modulo")
	return sealed, len(sealed) <= keptMost
}

func (p *Pages) keptCookie(v *visit, value string, age int) {
	http.SetCookie(v.w, &http.Cookie{Name: keptCookie, Value: value, Path: searchPath, MaxAge: age,
		HttpOnly: true, Secure: v.r.TLS != nil, SameSite: http.SameSiteLaxMode})
}

// kept is the form that the visitor sent before they had to sign in again; it
// comes back once. Somebody else's at the same browser is thrown away.
func (p *Pages) kept(v *visit, known ...string) (*filled, bool) {
	c, err := v.r.Cookie(keptCookie)
	if err != nil || v.r.URL.Query().Get("ripresa") == "" {
		return nil, false
	}
	p.keptCookie(v, "", -1)
	values, ok := p.unpack(v, c.Value)
	if !ok {
		return nil, false
	}
	f, err := v.fill(values, known)
	return f, err == nil
}

func (p *Pages) unpack(v *visit, sealed string) (url.Values, bool) {
	b, ok := p.seal.open(sealed, "modulo")
	if !ok {
		return nil, false
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), keptInside))
	if err != nil {
		return nil, false
	}
	parts := strings.SplitN(string(text), "\n", 4)
	if len(parts) != 4 || parts[0] != v.by.Account || parts[2] != v.r.URL.Path {
		return nil, false
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || v.now.Unix() > until {
		return nil, false
	}
	values, err := url.ParseQuery(parts[3])
	return values, err == nil
}
