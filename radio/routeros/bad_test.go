package routeros

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// after logs in and then does f with the next command.
func after(f func(p *peer, tag string)) func(*peer) {
	return func(p *peer) {
		if _, tag, ok := p.hear(); ok && p.say(tag, "!done") {
			if _, tag, ok := p.hear(); ok {
				f(p, tag)
			}
		}
	}
}

// silent reads on for ever and says nothing.
func silent(p *peer) {
	for {
		if _, _, ok := p.hear(); !ok {
			return
		}
	}
}

func TestBadDevices(t *testing.T) {
	tests := []struct {
		name  string
		serve func(*peer)
		kind  fault.Kind
		text  string        // in the error
		most  time.Duration // it may take
	}{
		{"silent after accept", silent, fault.Unreachable, "login as crinale: no answer within 4s: the port is open, but nothing speaks the RouterOS API there", 4 * time.Second},
		{"silent after login", after(func(p *peer, _ string) { silent(p) }), fault.Unreachable, "/system/resource/print: no answer within 4s", 4 * time.Second},
		{"closes at once", func(p *peer) {}, fault.Unreachable, "the device closed the connection", 0},
		{"closes after login", after(func(*peer, string) {}), fault.Unreachable, "the device closed the connection", 0},
		{"web server", func(p *peer) { p.hear(); p.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
			fault.Unreachable, "the peer answers with something that is not the RouterOS API: is this the port of the RouterOS API?", 0},
		{"ssh server", func(p *peer) { p.hear(); p.Write([]byte("SSH-2.0-ROSSSH\r\n")); silent(p) }, fault.Unreachable, "not the RouterOS API", 0},
		{"echo", func(p *peer) {
			b := make([]byte, 512)
			for {
				n, err := p.Read(b)
				if err != nil {
					return
				}
				p.Write(b[:n])
			}
		}, fault.Unreachable, "not the RouterOS API", 0},
		{"garbage", after(func(p *peer, _ string) { p.Write([]byte{0x03, '!', 'r', 'e', 0xFF, 1, 2, 3, 4}) }), fault.Unreachable, "reserved control byte 0xFF", 0},
		{"cut in mid-sentence", after(func(p *peer, tag string) { p.Write([]byte{0x03, '!', 'r', 'e', 0x20, '=', 'u', 'p'}) }), fault.Unreachable, "/system/resource/print: the device closed the connection", 0},
		{"stops in mid-sentence", after(func(p *peer, tag string) { p.Write([]byte{0x03, '!', 'r', 'e', 0x20, '=', 'u', 'p'}); silent(p) }), fault.Unreachable, "no answer within 4s", 4 * time.Second},
		{"512 MiB", after(func(p *peer, _ string) { p.Write([]byte{0x03, '!', 'r', 'e', 0xF0, 0x20, 0, 0, 0}); silent(p) }), fault.Unreachable, "announces a word of 536870912 bytes", 0},
		{"512 MiB at login", func(p *peer) { p.hear(); p.Write([]byte{0xF0, 0x20, 0, 0, 0}); silent(p) }, fault.Unreachable, "announces a word of 536870912 bytes", 0},
		{"endless empty sentences", after(func(p *peer, _ string) {
			for b := make([]byte, 1<<16); ; {
				if _, err := p.Write(b); err != nil {
					return
				}
			}
		}), fault.Unreachable, "more than 100000 bytes", 0},
		{"endless rows", after(func(p *peer, tag string) {
			for p.say(tag, "!re", "=a=b") {
			}
		}), fault.Unreachable, "in answer to one command", 0},
		{"drip", after(func(p *peer, tag string) {
			for p.say(tag, "!re", "=a=b") {
				time.Sleep(100 * time.Millisecond)
			}
		}), fault.Unreachable, "no answer within 4s", 4 * time.Second},
		{"fatal with a bare reason", after(func(p *peer, _ string) { p.say("", "!fatal", "session terminated on request") }), fault.Refused, "the device ended the session: session terminated on request", 0},
		{"fatal with a message", after(func(p *peer, _ string) { p.say("", "!fatal", "=message=too many sessions") }), fault.Refused, "the device ended the session: too many sessions", 0},
		{"fatal at login", func(p *peer) { p.hear(); p.say("", "!fatal", "not logged in") }, fault.Refused, "not logged in", 0},
		{"unknown reply", after(func(p *peer, tag string) { p.say(tag, "!what"); silent(p) }), fault.Unreachable, `unknown reply "!what"`, 0},
		{"word that is no property", after(func(p *peer, tag string) { p.say(tag, "!re", "name"); silent(p) }), fault.Unreachable, "a word that is no property", 0},
		{"answer to another command", after(func(p *peer, tag string) { p.say("zz", "!done"); silent(p) }), fault.Unreachable, "the answer belongs to another command", 0},
		{"row of another command", after(func(p *peer, tag string) { p.say("", "!re", "=uptime=1s"); p.say(tag, "!done"); silent(p) }), fault.Unreachable, "another command", 0},
		{"wrong password", func(p *peer) {
			_, tag, _ := p.hear()
			p.say(tag, "!trap", "=message=invalid user name or password (6)")
			p.say(tag, "!done")
			silent(p)
		}, fault.Denied, "login as crinale: invalid user name or password (6): check the user and the password", 0},
		{"wrong password, old answer", func(p *peer) {
			_, tag, _ := p.hear()
			p.say(tag, "!trap", "=message=cannot log in")
			p.say(tag, "!done")
		}, fault.Denied, "cannot log in", 0},
		{"password said back", func(p *peer) {
			_, tag, _ := p.hear()
			p.say(tag, "!trap", "=message=no user with password segreto-7")
			p.say(tag, "!done")
		}, fault.Denied, "no user with password …", 0},
		{"broken challenge", func(p *peer) { _, tag, _ := p.hear(); p.say(tag, "!done", "=ret=no hex") }, fault.Unreachable, "login", 0},
		{"no rights at all", after(func(p *peer, tag string) {
			for ok := true; ok; _, tag, ok = p.hear() {
				p.say(tag, "!trap", "=message=not enough permissions (9)")
				p.say(tag, "!done")
			}
		}), fault.Denied, "/system/resource/print: not enough permissions (9)", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(tt.serve)
				driver := d.driver(t, func(c *Config) { c.Limits.ReplyBytes = 100_000 })
				began := time.Now()
				_, err := driver.Observe(t.Context(), d.target)
				if err == nil {
					t.Fatal("no error")
				}
				if fault.Of(err) != tt.kind {
					t.Errorf("kind %v, want %v: %v", fault.Of(err), tt.kind, err)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %q\n  lacks %q", err, tt.text)
				}
				var odd interface{ Foreign() bool }
				if want := foreign.MatchString(tt.text); errors.As(err, &odd) != want {
					t.Errorf("answers with something foreign: %v, want %v: %v", !want, want, err)
				}
				if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), d.target.Password) {
					t.Errorf("not one clean line: %q", err)
				}
				if took := time.Since(began); took > tt.most {
					t.Errorf("took %v, %v at most", took, tt.most)
				}
				time.Sleep(time.Second) // lets the device see the end
				if tt.name != "no rights at all" && driver.session(d.target.Device).conn != nil {
					t.Error("the session was kept")
				}
			})
		})
	}
}

// TestHugeLengthAllocatesNothing: the five bytes that made the library take a
// gigabyte.
func TestHugeLengthAllocatesNothing(t *testing.T) {
	d := newDevice(func(p *peer) { p.hear(); p.Write([]byte{0xF0, 0x20, 0, 0, 0}); silent(p) })
	driver := d.driver(t)
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := driver.Observe(t.Context(), d.target)
	runtime.ReadMemStats(&now)
	if got := now.TotalAlloc - before.TotalAlloc; err == nil || got > 1<<20 {
		t.Errorf("allocated %d bytes, err %v", got, err)
	}
}

func TestDialErrors(t *testing.T) {
	for _, tt := range []struct {
		address string
		err     error
		text    string
		kind    fault.Kind
	}{
		{"", nil, "set the address", fault.Invalid},
		{"10.1.0.2", nil, "it must be host:port", fault.Invalid},
		{"10.1.0.2:1", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "connect to 10.1.0.2:1: connection refused: is the API service of the device on", fault.Unreachable},
		{"10.1.0.2:1", &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, "no route", fault.Unreachable},
		{"x.example:1", &net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}, "no such host", fault.Unreachable},
	} {
		driver, _ := New(Default(), Deps{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, tt.err }})
		target := newDevice(nil).target
		target.Address = tt.address
		_, err := driver.Observe(t.Context(), target)
		if err == nil || !strings.Contains(err.Error(), tt.text) || fault.Of(err) != tt.kind {
			t.Errorf("%q: %v (%v), want %q", tt.address, err, fault.Of(err), tt.text)
		}
	}
}

// TestDialTimesOut: nobody answers the connection at all.
func TestDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver, _ := New(Default(), Deps{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}})
		began := time.Now()
		_, err := driver.Observe(t.Context(), newDevice(nil).target)
		if err == nil || !strings.Contains(err.Error(), "connect to 10.1.0.2:8728: no answer within 3s") || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// foreign are the errors of a peer that answers, but not as RouterOS does.
var foreign = regexp.MustCompile(`not the RouterOS API|reserved control byte|announces a word|more than \d+ bytes|in answer to one command|unknown reply|no property|another command`)

// TestTLSToPlainPort: what answers there speaks no TLS.
func TestTLSToPlainPort(t *testing.T) {
	d := newDevice(func(p *peer) {
		p.Read(make([]byte, 4096))
		p.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	})
	d.target.TLSAddress = "10.1.0.2:8729"
	_, err := d.driver(t).Observe(t.Context(), d.target)
	var odd interface{ Foreign() bool }
	if fault.Of(err) != fault.Unreachable || !errors.As(err, &odd) || !strings.Contains(err.Error(), "is this the port of api-ssl?") {
		t.Error(err)
	}
}

// The mark stays when the text had to be cleaned.
func TestScrubKeepsForeign(t *testing.T) {
	err := (&conn{secret: "hush"}).scrub(fault.As(fault.Unreachable, &protocolError{"sends hush back"}))
	var odd interface{ Foreign() bool }
	if !errors.As(err, &odd) || fault.Of(err) != fault.Unreachable || err.Error() != "sends … back" {
		t.Error(err)
	}
}

// TestTLSWithoutCertificate: the device answers with a handshake failure
// (alert 40), as api-ssl does without a certificate.
func TestTLSWithoutCertificate(t *testing.T) {
	d := newDevice(func(p *peer) {
		p.Read(make([]byte, 4096))
		p.Write([]byte{0x15, 3, 3, 0, 2, 2, 40})
	})
	d.target.TLSAddress = "10.1.0.2:8729"
	_, err := d.driver(t).Observe(t.Context(), d.target)
	if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "connect to 10.1.0.2:8729: TLS:") || !strings.Contains(err.Error(), "give the device's api-ssl service a certificate") {
		t.Error(err)
	}
}

// TestSlowReply: an answer that takes its time within the limit is an answer.
func TestSlowReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		*d = *newDevice(func(p *peer) {
			for {
				words, tag, ok := p.hear()
				if !ok {
					return
				}
				if words[0] == "/interface/print" {
					time.Sleep(3 * time.Second)
				}
				if !d.answer(p, nv2, words, tag) {
					return
				}
			}
		})
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil || len(o.Peers) != 1 {
			t.Errorf("%v %+v", err, o)
		}
	})
}

// TestContextEndsARound: the caller's deadline interrupts a command, and the
// error names its cause.
func TestContextEndsARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(after(func(p *peer, _ string) { silent(p) }))
		driver := d.driver(t)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("no answer from mombarcaro-nord within 500ms"))
		defer cancel()
		began := time.Now()
		_, err := driver.Observe(ctx, d.target)
		if err == nil || !strings.Contains(err.Error(), "no answer from mombarcaro-nord") || fault.Of(err) != fault.Unreachable || time.Since(began) > 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel2 := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel2() }()
		began = time.Now()
		if _, err = driver.Observe(ctx, d.target); !errors.Is(err, context.Canceled) || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestDeadKeptSessionIsReplaced: a device that closed the kept session since
// the last round, with a word of farewell or without, costs no round.
func TestDeadKeptSessionIsReplaced(t *testing.T) {
	for _, farewell := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var gone atomic.Bool
			d := &device{}
			*d = *newDevice(func(p *peer) {
				for first := d.dials == 1; ; {
					words, tag, ok := p.hear()
					if first && gone.Load() {
						if farewell {
							p.say("", "!fatal", "rebooting")
						}
						return
					}
					if !ok || !d.answer(p, nv2, words, tag) {
						return
					}
				}
			})
			driver := d.driver(t)
			for range 2 {
				if _, err := driver.Observe(t.Context(), d.target); err != nil {
					t.Fatal(err)
				}
			}
			if d.dials != 1 {
				t.Fatalf("%d connections before", d.dials)
			}
			gone.Store(true)
			if o, err := driver.Observe(t.Context(), d.target); err != nil || len(o.Peers) != 1 {
				t.Errorf("%v %+v", err, o)
			}
			if d.dials != 2 {
				t.Errorf("%d connections after", d.dials)
			}
		})
	}
}

// TestOldLogin: before 6.43 the device answers with a challenge (figures of
// the library's own tests).
func TestOldLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		*d = *newDevice(func(p *peer) {
			if _, tag, ok := p.hear(); !ok || !p.say(tag, "!done", "=ret=abc123") {
				return
			}
			words, tag, _ := p.hear()
			if fmt.Sprint(words) != "[/login =name=userTest =response=0021277bff9ac7caf06aa608e46616d47f]" {
				return
			}
			p.say(tag, "!done")
			d.follow(p, nv2)
		})
		d.target.User, d.target.Password = "userTest", "passTest"
		if _, err := d.driver(t).Observe(t.Context(), d.target); err != nil {
			t.Error(err)
		}
	})
}

// TestNewTargetMeansNewSession: another password is used at once.
func TestNewTargetMeansNewSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(nv2)
		driver := d.driver(t)
		if _, err := driver.Observe(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		d.target.Password = "other"
		if _, err := driver.Observe(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		if d.dials != 2 {
			t.Errorf("%d connections", d.dials)
		}
	})
}

// TestRunClosesIdleSessions: idle ones after their time, all at the end.
func TestRunClosesIdleSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(nv2)
		driver := d.driver(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- driver.Run(ctx) }()
		open := func() bool {
			s := driver.session(d.target.Device)
			s.turn <- struct{}{}
			defer func() { <-s.turn }()
			return s.conn != nil
		}
		if _, err := driver.Observe(ctx, d.target); err != nil || !open() {
			t.Fatal(err, open())
		}
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if open() {
			t.Error("an idle session is open")
		}
		if _, err := driver.Observe(ctx, d.target); err != nil || !open() {
			t.Fatal(err, open())
		}
		cancel()
		if err := <-ended; err != nil || open() {
			t.Error("open after the end", err)
		}
	})
}
