package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/mail"
	"github.com/crinale/crinale/internal/mail/mailtest"
)

func mailer(t *testing.T, s *mailtest.Server, change func(*mail.Config, *mail.Deps)) *mail.Mailer {
	t.Helper()
	cfg := mail.Default()
	cfg.Server, cfg.TLS, cfg.From, cfg.Timeout = s.Addr, mail.NoTLS, "Passaggi <passaggi@unione.example>", 10*time.Second
	deps := mail.Deps{Roots: s.Roots}
	if change != nil {
		change(&cfg, &deps)
	}
	m, err := mail.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func letter() mail.Message {
	return mail.Message{Key: "n-1/mail", To: "residente@example.org", Subject: "Il passaggio è confermato",
		Text: "Buongiorno,\nci vediamo lunedì alle 7:10.\n", HTML: "<p>Buongiorno,<br>ci vediamo <b>lunedì</b> alle 7:10.</p>\n",
		Date: time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)}
}

// parts reads a message back, by the standard library alone.
func parts(t *testing.T, data []byte) (h netmail.Header, text, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q: %v", m.Header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(b)
		} else {
			text = string(b)
		}
	}
}

func TestSendsTextAndMarksAndTheSameAgain(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	m := mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.ReplyTo = "sportello@unione.example" })
	for range 2 {
		if err := m.Send(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
	}
	other := letter()
	other.Key = "n-2/mail"
	if err := m.Send(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	got := s.Received()
	if len(got) != 3 {
		t.Fatalf("%d messages came", len(got))
	}
	if got[0].From != "passaggi@unione.example" || got[0].To != "residente@example.org" {
		t.Errorf("envelope %q to %q", got[0].From, got[0].To)
	}
	h, text, html := parts(t, got[0].Data)
	if text != letter().Text || html != letter().HTML {
		t.Errorf("text %q, html %q", text, html)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != letter().Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if h.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(h.Get("Reply-To"), "sportello@unione.example") || h.Get("X-Mailer")+h.Get("User-Agent") != "" {
		t.Errorf("headers %v", h)
	}
	if when, err := h.Date(); err != nil || !when.Equal(letter().Date) {
		t.Errorf("date %v, %v", when, err)
	}
	if !bytes.Equal(got[0].Data, got[1].Data) {
		t.Errorf("the second delivery differs:\n%s\n%s", got[0].Data, got[1].Data)
	}
	first, third := got[0].Header("Message-Id"), got[2].Header("Message-Id")
	if !strings.HasSuffix(first, "@unione.example>") || first == third {
		t.Errorf("Message-ID %s of one key, %s of another", first, third)
	}
	if strings.Contains(first, "n-1") {
		t.Errorf("Message-ID %s tells the key", first)
	}
}

func TestTLSAndSignIn(t *testing.T) {
	for _, mode := range []mail.Security{mail.StartTLS, mail.TLS} {
		t.Run(string(mode), func(t *testing.T) {
			s := mailtest.Start(t, mailtest.Options{TLS: string(mode), User: "passaggi", Password: "right"})
			with := func(password string, roots bool) *mail.Mailer {
				return mailer(t, s, func(c *mail.Config, d *mail.Deps) {
					c.TLS, c.User, d.Password = mode, "passaggi", password
					if !roots {
						d.Roots = nil
					}
				})
			}
			if err := with("right", true).Send(t.Context(), letter()); err != nil {
				t.Fatal(err)
			}
			for name, m := range map[string]*mail.Mailer{
				"wrong password": with("hush", true),
				"unknown root":   with("right", false),
				"no sign-in":     mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.TLS = mode }),
			} {
				err := m.Send(t.Context(), letter())
				if fault.Of(err) != fault.Denied {
					t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
				}
				if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "right")) {
					t.Errorf("%s: the password is told: %v", name, err)
				}
			}
			if n := len(s.Received()); n != 1 {
				t.Errorf("%d messages came, want 1", n)
			}
		})
	}
}

// A server that does not offer STARTTLS gets nothing, since somebody in
// between may have taken the offer out.
func TestStartTLSIsDemanded(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	err := mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.TLS = mail.StartTLS }).Send(t.Context(), letter())
	if fault.Of(err) != fault.Denied || len(s.Received()) != 0 {
		t.Errorf("kind %v, %d came: %v", fault.Of(err), len(s.Received()), err)
	}
	err = mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.TLS = mail.TLS }).Send(t.Context(), letter())
	if fault.Of(err) != fault.Denied || len(s.Received()) != 0 {
		t.Errorf("kind %v, %d came: %v", fault.Of(err), len(s.Received()), err)
	}
}

func TestFaultsOfTheServer(t *testing.T) {
	for _, c := range []struct {
		at   string
		code int
		want fault.Kind
	}{
		{"greet", 421, fault.Unreachable}, {"greet", 554, fault.Unreachable},
		{"mail", 451, fault.Unreachable}, {"mail", 550, fault.Refused},
		{"rcpt", 450, fault.Unreachable}, {"rcpt", 452, fault.Unreachable}, {"rcpt", 550, fault.Refused}, {"rcpt", 553, fault.Refused},
		{"data", 451, fault.Unreachable}, {"data", 554, fault.Refused}, {"taken", 451, fault.Unreachable},
		{"mail", 530, fault.Denied}, {"data", 454, fault.Denied},
	} {
		s := mailtest.Start(t, mailtest.Options{})
		s.Fail(func(at, address string) error {
			if at == c.at {
				return mailtest.Code(c.code, address)
			}
			return nil
		})
		err := mailer(t, s, nil).Send(t.Context(), letter())
		if err == nil || fault.Of(err) != c.want {
			t.Errorf("%s %d: kind %v, want %v: %v", c.at, c.code, fault.Of(err), c.want, err)
			continue
		}
		if strings.Contains(err.Error(), "residente") || strings.Contains(err.Error(), "no thanks") {
			t.Errorf("%s %d: the error tells the address: %v", c.at, c.code, err)
		}
	}
}

// speak is a server that says what it is told, line by line, whatever it hears.
func speak(t *testing.T, answers ...string) *mailtest.Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 4096)
				for _, a := range answers {
					if _, err := io.WriteString(conn, a); err != nil {
						return
					}
					if _, err := conn.Read(buf); err != nil {
						return
					}
				}
				io.Copy(io.Discard, conn) // and now it is silent
			}()
		}
	}()
	return &mailtest.Server{Addr: l.Addr().String()}
}

func TestSilentAndMuddledServers(t *testing.T) {
	for name, answers := range map[string][]string{
		"silent from the start": nil,
		"silent after hello":    {"220 hi\r\n"},
		"silent in the middle":  {"220 hi\r\n", "250 hello\r\n", "250 ok\r\n"},
		"not SMTP":              {"HTTP/1.1 400 Bad Request\r\n\r\n"},
		"short lines":           {"220 hi\r\n", "250 hello\r\n", "4\r\n", "5\r\n"},
		"empty lines":           {"220 hi\r\n", "\r\n", "\r\n", "\r\n"},
		"endless line":          {"220 " + strings.Repeat("x", 1<<20) + "\r\n"},
		"binary":                {"\x00\xff\x16\x03\x01"},
	} {
		s := speak(t, answers...)
		m := mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.Timeout = 300 * time.Millisecond })
		begun := time.Now()
		err := m.Send(t.Context(), letter())
		if fault.Of(err) != fault.Unreachable {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := mailer(t, &mailtest.Server{Addr: closed.Addr().String()}, nil).Send(t.Context(), letter()); fault.Of(err) != fault.Unreachable {
		t.Errorf("nobody there: %v", err)
	}
}

func TestEndOfContextEndsTheDelivery(t *testing.T) {
	s := speak(t, "220 hi\r\n")
	m := mailer(t, s, func(c *mail.Config, _ *mail.Deps) { c.Timeout = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Send(ctx, letter()) }()
	select {
	case err := <-done:
		if fault.Of(err) != fault.Unreachable {
			t.Errorf("kind %v: %v", fault.Of(err), err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("it hangs")
	}
}

func TestWhatCouldWriteHeadersIsRefused(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	m := mailer(t, s, nil)
	for name, change := range map[string]func(*mail.Message){
		"to with a line":       func(l *mail.Message) { l.To = "a@example.org\r\nBcc: b@example.org" },
		"to two":               func(l *mail.Message) { l.To = "a@example.org, b@example.org" },
		"to with a name":       func(l *mail.Message) { l.To = "Tutti <a@example.org>" },
		"to with argument":     func(l *mail.Message) { l.To = "a@example.org> NOTIFY=NEVER" },
		"to nobody":            func(l *mail.Message) { l.To = "" },
		"to half":              func(l *mail.Message) { l.To = "a@" },
		"to quoted":            func(l *mail.Message) { l.To = "\"a b\"@example.org" },
		"to not plain":         func(l *mail.Message) { l.To = "à@example.org" },
		"to very long":         func(l *mail.Message) { l.To = strings.Repeat("a", 400) + "@example.org" },
		"subject with a line":  func(l *mail.Message) { l.Subject = "Ciao\nBcc: b@example.org" },
		"subject with return":  func(l *mail.Message) { l.Subject = "Ciao\rBcc: b@example.org" },
		"subject with NEL":     func(l *mail.Message) { l.Subject = "Ciao\u0085Bcc: b@example.org" },
		"subject with LS":      func(l *mail.Message) { l.Subject = "Ciao\u2028Bcc: b@example.org" },
		"subject with NUL":     func(l *mail.Message) { l.Subject = "Ciao\x00" },
		"subject not UTF-8":    func(l *mail.Message) { l.Subject = "Ciao\xff" },
		"subject empty":        func(l *mail.Message) { l.Subject = "" },
		"subject of 10 kB":     func(l *mail.Message) { l.Subject = strings.Repeat("è", 10000) },
		"text with a return":   func(l *mail.Message) { l.Text = "a\r\n.\r\nMAIL FROM:<b@example.org>\r\n" },
		"text with NUL":        func(l *mail.Message) { l.Text = "a\x00" },
		"text empty":           func(l *mail.Message) { l.Text = "" },
		"text too long":        func(l *mail.Message) { l.Text = strings.Repeat("a", 300<<10) },
		"no key":               func(l *mail.Message) { l.Key = "" },
		"html with a bell":     func(l *mail.Message) { l.HTML = "\a" },
		"key longer than told": func(l *mail.Message) { l.Key = strings.Repeat("k", 501) },
	} {
		l := letter()
		change(&l)
		if err := m.Send(t.Context(), l); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
	}
	if n := len(s.Received()); n != 0 {
		t.Errorf("%d came", n)
	}
	// What only looks like the end of a message stays text.
	l := letter()
	l.Text = "prima\n.\nQUIT\n.. due punti\nSubject: no\n"
	if err := m.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got := s.Received()
	if _, text, _ := parts(t, got[0].Data); len(got) != 1 || text != l.Text {
		t.Errorf("%d came, text %q", len(got), text)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	good := mail.Config{Server: "smtp.unione.example:587", TLS: mail.StartTLS, From: "a@unione.example", Timeout: time.Second}
	if _, err := mail.New(good, mail.Deps{}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*mail.Config, *mail.Deps){
		"no server":        func(c *mail.Config, _ *mail.Deps) { c.Server = "" },
		"no port":          func(c *mail.Config, _ *mail.Deps) { c.Server = "smtp.unione.example" },
		"port 0":           func(c *mail.Config, _ *mail.Deps) { c.Server = "smtp.unione.example:0" },
		"named port":       func(c *mail.Config, _ *mail.Deps) { c.Server = "smtp.unione.example:smtp" },
		"host with a line": func(c *mail.Config, _ *mail.Deps) { c.Server = "smtp\n.example:25" },
		"none, elsewhere":  func(c *mail.Config, _ *mail.Deps) { c.TLS = mail.NoTLS },
		"none and user": func(c *mail.Config, d *mail.Deps) {
			c.TLS, c.Server, c.User, d.Password = mail.NoTLS, "127.0.0.1:25", "u", "p"
		},
		"unknown TLS":       func(c *mail.Config, _ *mail.Deps) { c.TLS = "maybe" },
		"no time":           func(c *mail.Config, _ *mail.Deps) { c.Timeout = 0 },
		"user, no password": func(c *mail.Config, _ *mail.Deps) { c.User = "u" },
		"password, no user": func(_ *mail.Config, d *mail.Deps) { d.Password = "hush" },
		"no from":           func(c *mail.Config, _ *mail.Deps) { c.From = "" },
		"from with a line":  func(c *mail.Config, _ *mail.Deps) { c.From = "A <a@unione.example>\r\nBcc: b@x.example" },
		"bad reply":         func(c *mail.Config, _ *mail.Deps) { c.ReplyTo = "b" },
		"bad hello":         func(c *mail.Config, _ *mail.Deps) { c.Hello = "a b" },
	} {
		c, d := good, mail.Deps{}
		change(&c, &d)
		_, err := mail.New(c, d)
		if fault.Of(err) != fault.Invalid {
			t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the password is told: %v", name, err)
		}
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{"a@example.org", "A <a@example.org>", "a@b@c", "\"a\\\"b\"@example.org", "a@[127.0.0.1]", "a@example.org\r\nBcc: x", "à@example.org", "@", "a@.", "=?utf-8?q?a?=@example.org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if mail.CheckAddress(s) != nil {
			return
		}
		if strings.ContainsAny(s, "\r\n\x00 <>,;") || strings.Count(s, "@") != 1 {
			t.Errorf("%q was taken", s)
		}
	})
}
