package edge

import (
	"net/http"
	"slices"
)

// Refusal says why an answer is not kept; "" for one that is.
type Refusal string

// The reasons, in the order in which they are looked for.
const (
	Keep             Refusal = ""
	RefuseMethod     Refusal = "method"      // only answers to GET are kept
	RefuseStatus     Refusal = "status"      // not final, or of this request alone
	RefuseNoStore    Refusal = "no-store"    // of the request or the answer
	RefusePrivate    Refusal = "private"     // for one user
	RefuseAuthorized Refusal = "authorized"  // to a request with Authorization, and not said to be for all
	RefuseCookie     Refusal = "set-cookie"  // in the safe profile
	RefuseVary       Refusal = "vary"        // no request can be told to be alike
	RefuseRange      Refusal = "range"       // a part that cannot be placed
	RefuseFreshness  Refusal = "no-lifetime" // nothing says that it may be kept, and it could not be validated
)

// Storable says whether a shared cache may keep an answer (RFC 9111 §3), and
// keeps its head if so. The body may still end too early: then only a cache that
// keeps parts may keep it.
func (r Rules) Storable(q Request, a Response) (*Stored, Refusal) {
	d, targeted := r.Directives(a.Header)
	asked := ParseCacheControl(q.Header["Cache-Control"])
	names, star := Selecting(a.Header)
	_, authorized := q.Header["Authorization"]
	switch {
	case q.Method != http.MethodGet:
		return nil, RefuseMethod
	case !cacheable(a.Status) || d.MustUnderstand && !understood[a.Status]:
		return nil, RefuseStatus
	case asked.NoStore || d.NoStore && !d.MustUnderstand:
		return nil, RefuseNoStore
	case d.Private:
		return nil, RefusePrivate
	case authorized && !shared(d):
		return nil, RefuseAuthorized
	case r.Profile == Safe && len(a.Header["Set-Cookie"]) > 0 && !slices.Contains(d.PrivateFields, "Set-Cookie"):
		return nil, RefuseCookie
	case star:
		return nil, RefuseVary
	case !placed(a):
		return nil, RefuseRange
	case !r.worth(d, targeted, a):
		return nil, RefuseFreshness
	}
	h := WithoutConnection(a.Header)
	for _, name := range d.PrivateFields {
		h.Del(name)
	}
	if len(h["Date"]) == 0 { // RFC 9110 §6.6.1
		h.Set("Date", a.Got.UTC().Format(http.TimeFormat))
	}
	return &Stored{Status: a.Status, Header: h, Asked: a.Asked, Got: a.Got, Variant: Variant(names, q.Header), Shared: shared(d)}, Keep
}

// cacheable leaves out what is not final, and what answers not the target but
// this request: its conditions, its range, its way (RFC 9110 §15).
func cacheable(status int) bool {
	switch status {
	case http.StatusNotModified, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusExpectationFailed,
		http.StatusMisdirectedRequest, http.StatusUpgradeRequired, http.StatusTooEarly:
		return false
	}
	return status >= 200 && status <= 599
}

// shared says that an answer to a request with Authorization may be given to
// others (RFC 9111 §3.5).
func shared(d Directives) bool { return d.Public || d.MustRevalidate || d.SMaxAge.There }

// placed says that a part can be placed in the whole (RFC 9110 §15.3.7): one
// range of bytes, not a message of several.
func placed(a Response) bool {
	if a.Status != http.StatusPartialContent {
		return true
	}
	_, ok := ParseContentRange(a.Header)
	return ok
}

// worth says that something lets the answer be kept (the last item of RFC 9111
// §3), and that keeping it is of use: it has a lifetime, or can be validated, or
// may be given stale.
func (r Rules) worth(d Directives, targeted bool, a Response) bool {
	lifetime, explicit := r.lifetime(d, targeted, a.Status, a.Header, a.Got)
	if !explicit && !d.Public && !heuristic[a.Status] {
		return false
	}
	return lifetime > 0 || len(a.Header["Etag"]) > 0 || len(a.Header["Last-Modified"]) > 0 ||
		d.StaleIfError.Seconds > 0 || d.StaleWhileRevalidate.Seconds > 0 || r.StaleIfError > 0 || r.Offline.Rule == OfflineUntil
}
