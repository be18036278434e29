package sim_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-routeros/routeros/v3/proto"

	"github.com/crinale/crinale/radio/sim"
)

// TestStreams has a listen, a monitor and prints in flight on one connection,
// told apart by their tags.
func TestStreams(t *testing.T) {
	f := started(t, sim.Config{})
	e := endpoint(t, f, "sector")
	conn, err := net.Dial("tcp", e.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	w, r := proto.NewWriter(conn), proto.NewReader(conn)
	send := func(words ...string) {
		w.BeginSentence()
		for _, x := range words {
			w.WriteWord(x)
		}
		if err := w.EndSentence(); err != nil {
			t.Fatal(err)
		}
	}
	next := func() *proto.Sentence {
		s, err := r.ReadSentence()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	until := func(what string, ok func(*proto.Sentence) bool) *proto.Sentence {
		for range 1000 {
			if s := next(); ok(s) {
				return s
			}
		}
		t.Fatalf("never came: %s", what)
		return nil
	}
	send("/login", "=name="+e.User, "=password="+e.Password)
	if s := next(); s.Word != "!done" {
		t.Fatal(s)
	}
	send("/interface/listen", ".tag=listen")
	send("/interface/monitor-traffic", "=interface=wlan1", "=interval=0.1", ".tag=traffic")
	send("/system/identity/print", ".tag=id")
	until("print among streams", func(s *proto.Sentence) bool { return s.Tag == "id" && s.Word == "!re" && s.Map["name"] == "sector" })
	until("second section", func(s *proto.Sentence) bool { return s.Tag == "traffic" && s.Map[".section"] == "1" })
	send("/interface/set", "=.id=ether1", "=comment=mast", ".tag=set")
	until("news of the change", func(s *proto.Sentence) bool {
		return s.Tag == "listen" && s.Map["name"] == "ether1" && s.Map["comment"] == "mast"
	})
	send("/cancel", "=tag=traffic", ".tag=c")
	until("interrupted", func(s *proto.Sentence) bool {
		return s.Tag == "traffic" && s.Word == "!trap" && s.Map["category"] == "2" && s.Map["message"] == "interrupted"
	})
	until("its end", func(s *proto.Sentence) bool { return s.Tag == "traffic" && s.Word == "!done" })
	send("/interface/wireless/registration-table/listen", ".tag=reg")
	send("/interface/wireless/registration-table/print", "=.proplist=.id", ".tag=table")
	row := until("a registration", func(s *proto.Sentence) bool { return s.Tag == "table" && s.Word == "!re" })
	if _, err := f.Inject(sim.Fault{Link: "l1", Kind: sim.Off}); err != nil {
		t.Fatal(err)
	}
	dead := until("a death", func(s *proto.Sentence) bool { return s.Tag == "reg" && s.Map[".dead"] == "yes" })
	if dead.Map[".id"] != row.Map[".id"] {
		t.Errorf("%s died, want %s", dead.Map[".id"], row.Map[".id"])
	}
	send("/cancel", ".tag=all")
	ends := map[string]bool{}
	until("all ended", func(s *proto.Sentence) bool {
		if s.Word == "!done" {
			ends[s.Tag] = true
		}
		return ends["listen"] && ends["reg"] && ends["all"]
	})
	send("/quit")
	b := make([]byte, 64)
	n, _ := conn.Read(b)
	if !strings.Contains(string(b[:n]), "!fatal") {
		t.Errorf("after /quit: %q", b[:n])
	}
}

// TestListenClient is the real client's own way to listen.
func TestListenClient(t *testing.T) {
	f := started(t, sim.Config{})
	c := dial(t, f, "ax-a")
	c.Queue = 100
	l, err := c.ListenArgs([]string{"/interface/wifi/monitor", "=numbers=wifi1", "=interval=0.2"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if s := <-l.Chan(); s.Map["state"] != "running" {
			t.Fatalf("round %d: %v", i, s)
		}
	}
	// The client may lose the answer to a fast command while it listens (its
	// issue 33), so the end of the stream is what is waited for.
	go l.Cancel()
	for range l.Chan() {
	}
	if err := l.Err(); err != nil {
		t.Error(err)
	}
}

func TestBeforeLogin(t *testing.T) {
	f := started(t, sim.Config{})
	for name, bytes := range map[string]string{
		"command before login": "\x16/system/identity/print\x00",
		"too long a word":      "\xe0\x20\x00\x00",
		"512 MiB":              "\xf0\x20\x00\x00\x00",
		"control byte":         "\xf8",
	} {
		conn, err := net.Dial("tcp", endpoint(t, f, "sector").Address)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		conn.Write([]byte(bytes))
		var got []byte
		b := make([]byte, 256)
		for {
			n, err := conn.Read(b)
			got = append(got, b[:n]...)
			if err != nil {
				break
			}
		}
		if !strings.HasPrefix(string(got), "\x06!fatal") {
			t.Errorf("%s: answered %q", name, got)
		}
		conn.Close()
	}
}
