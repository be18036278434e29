package spine

import (
	"regexp"
	"strings"
	"sync"
)

// names knows which client stands behind each connection of the front to the
// server, so that the server's log lines can tell the client's address and
// name.
type names struct {
	key string // the end of names that only the front knows

	mu   sync.Mutex
	real map[string]*behind
	old  []*behind // dropped; the last lines about them may be still to come
}

type behind struct {
	at, client string
	denied     bool
}

const keepOld = 256

func newNames(key string) *names { return &names{key: key, real: map[string]*behind{}} }

// put notes that the connection from at is that of client.
func (n *names) put(at, client string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.real[at] = &behind{at: at, client: client}
}

// drop forgets a connection, in a while.
func (n *names) drop(at string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b := n.real[at]; b != nil {
		n.old = append(n.old, b)
	}
	if len(n.old) > keepOld {
		if b := n.old[0]; n.real[b.at] == b { // else the port is in use again
			delete(n.real, b.at)
		}
		n.old = n.old[1:]
	}
}

// hear notes from a line of the server whose password was wrong: the server
// tells the client nothing.
func (n *names) hear(line string) {
	at, rest, ok := strings.Cut(line, " - mid:")
	if !ok || !strings.Contains(rest, "authentication error") {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if b := n.real[at]; b != nil {
		b.denied = true
	}
}

// denied says that the server did not accept the user or the password.
func (n *names) denied(at string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.real[at]
	return b != nil && b.denied
}

var ownAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// clean puts clients in the place of the front's connections, and takes away
// the key.
func (n *names) clean(line string) string {
	if n.key != "" {
		line = strings.ReplaceAll(line, n.key, "")
	}
	return ownAddress.ReplaceAllStringFunc(line, func(at string) string {
		n.mu.Lock()
		defer n.mu.Unlock()
		if b := n.real[at]; b != nil {
			return b.client
		}
		return at
	})
}
