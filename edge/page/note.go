package page

import "net/http"

// Note is an answer to somebody who sent something while the link is down.
type Note struct {
	Title, Text, English string
	Number, At, Expires  string // of a receipt
}

// Say gives a note as a page.
func Say(w http.ResponseWriter, status int, n Note) { send(w, status, "note.html", n) }
