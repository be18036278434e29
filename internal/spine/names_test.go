package spine

import (
	"fmt"
	"testing"
)

func TestNamesTellTheClient(t *testing.T) {
	n := newNames("@KEY")
	n.put("127.0.0.1:4000", "192.0.2.7:50000")
	n.put("127.0.0.1:40001", "[2001:db8::1]:50001")
	for line, want := range map[string]string{
		`127.0.0.1:4000 - mid:5 - authentication error - User "wisp-a@KEY"`: `192.0.2.7:50000 - mid:5 - authentication error - User "wisp-a"`,
		`Replacing old client "127.0.0.1:40001 - mid:1" at 127.0.0.1:4000`:  `Replacing old client "[2001:db8::1]:50001 - mid:1" at 192.0.2.7:50000`,
		`127.0.0.1:1 - mid:5`: `127.0.0.1:1 - mid:5`,
	} {
		if got := n.clean(line); got != want {
			t.Errorf("%s: got %s", line, got)
		}
	}

	n.hear(`127.0.0.1:40001 - mid:6 - "wisp-a:authentication" - Publish Violation`)
	n.hear(`authentication error of 127.0.0.1:40001`)
	if n.denied("127.0.0.1:40001") || n.denied("127.0.0.1:9") {
		t.Error("denied, and nobody said so")
	}
	n.hear(`127.0.0.1:4000 - mid:5 - authentication error - User "x"`)
	if !n.denied("127.0.0.1:4000") {
		t.Error("not denied")
	}

	// Names are kept for a while and not for ever; a port in use again keeps
	// its new one.
	n.drop("127.0.0.1:4000")
	if n.clean("127.0.0.1:4000") != "192.0.2.7:50000" {
		t.Error("a name is forgotten at once")
	}
	n.put("127.0.0.1:4000", "192.0.2.8:50000")
	for i := range 2 * keepOld {
		at := fmt.Sprintf("127.0.0.1:%d", 10000+i)
		n.put(at, "192.0.2.9:1")
		n.drop(at)
	}
	if n.clean("127.0.0.1:4000") != "192.0.2.8:50000" || n.denied("127.0.0.1:4000") {
		t.Error("the new name of a port is forgotten with the old one")
	}
	if len(n.real) > keepOld+2 || len(n.old) > keepOld {
		t.Errorf("%d names are kept", len(n.real))
	}
}
