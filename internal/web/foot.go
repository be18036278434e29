package web

import "net/http"

// FootLink is a link at the foot of every page: what a public body offers
// wherever somebody stands, such as its privacy notice.
type FootLink struct {
	Path    string // of our own, or "mailto:…"
	Title   map[Lang]string
	Element string // data-element, by which validators of public bodies find it; "" for none
}

// Foot adds a link to the foot of every page, after those already there.
func (s *Shell) Foot(l FootLink) { s.foot = append(s.foot, l) }

// HandleOr is Handle with an answer of its own for strangers, such as somebody
// whose session ended while they filled in a form. It must let nothing be
// done.
func (s *Shell) HandleOr(pattern string, a Access, h, strangers http.Handler) {
	s.Handle(pattern, a, h)
	s.strangers[pattern] = strangers
}

// TakesUpTo lets a mounted pattern take bodies of so many bytes, where that is
// more than Config.MaxBody: a form with pictures.
func (s *Shell) TakesUpTo(pattern string, bytes int64) { s.bodies[pattern] = bytes }

// maxBody is how many bytes the body of a request may have.
func (s *Shell) maxBody(r *http.Request) int64 {
	if len(s.bodies) > 0 && r.Method != http.MethodGet && r.Method != http.MethodHead {
		_, pattern := s.mux.Handler(r)
		return max(s.cfg.MaxBody, s.bodies[pattern])
	}
	return s.cfg.MaxBody
}

// largeCookie says that pages are to be read in large type.
const largeCookie = "grande"

// SetLarge keeps whether pages are in large type, in the visitor's browser.
func SetLarge(w http.ResponseWriter, large bool) {
	c := &http.Cookie{Name: largeCookie, Value: "1", Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if !large {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(w, c)
}

// Large says whether the visitor reads in large type.
func Large(r *http.Request) bool {
	c, err := r.Cookie(largeCookie)
	return err == nil && c.Value == "1"
}
