package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

const maxBack = 1024 // bytes of an address to come back to

// back is the page of our own that someone wants after signing in, "" where
// the address is none: it never leads to another site, nor round in circles.
func back(address string) string {
	if len(address) > maxBack || !strings.HasPrefix(address, "/") {
		return ""
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return "" // browsers drop some of these, or read them as a slash
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.Contains(u.Path, "//") {
		return ""
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return "" // with dots in it
	}
	switch u.Path {
	case SignInPath, signOutPath, InvitePath:
		return ""
	}
	out := u.EscapedPath()
	if u.RawQuery != "" {
		out += "?" + u.RawQuery
	}
	return out
}

// signInAt is the address of the sign-in page that leads back to where r is.
func signInAt(r *http.Request) string {
	if b := back(r.URL.RequestURI()); b != "" && b != "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return SignInPath + "?dopo=" + url.QueryEscape(b)
	}
	return SignInPath
}
