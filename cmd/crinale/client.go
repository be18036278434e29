package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// serverFlags say which running server a command speaks to: that of a data
// folder on this machine, or one by its URL.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "data `FOLDER` of the server that runs on this machine", EnvVars: []string{"CRINALE_DATA"}},
		configFlag(),
		&cli.StringFlag{Name: "server", Usage: "`URL` of a server elsewhere; needs a token", EnvVars: []string{"CRINALE_SERVER"}},
		&cli.StringFlag{Name: "token-file", Usage: "`FILE` with the token for --server, readable by you alone; or the token itself in CRINALE_TOKEN"},
	}
}

// client speaks to the running server: through the socket of its data folder,
// where whoever may open it is the owner, or over HTTP with a token.
type client struct {
	where string // for messages
	base  string
	token string
	http  http.Client
}

func newClient(c *cli.Context) (*client, error) {
	if c.IsSet("server") {
		if c.IsSet("data") && !fromEnv("CRINALE_DATA", c.String("data")) || c.IsSet("config") {
			return nil, usage("--server is for a server elsewhere, --data and --config for one on this machine: keep one of them")
		}
		return remoteClient(c.String("server"), c.String("token-file"))
	}
	if c.IsSet("token-file") {
		return nil, usage("--token-file is for --server URL: on this machine the data folder is the key")
	}
	data := c.String("data")
	if data == "" {
		cfg, err := loadConfig(c.String("config"))
		if err != nil {
			return nil, err
		}
		data = cfg.Data
	}
	return localClient(data)
}

// localClient is for the server that runs on a data folder.
func localClient(data string) (*client, error) {
	path, err := socketPath(data)
	if err == nil {
		err = ownSocketFolder(path)
	}
	if err != nil {
		return nil, err
	}
	return &client{where: "the data folder " + data, base: "http://localhost", http: http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}},
	}}, nil
}

func fromEnv(name, value string) bool { return os.Getenv(name) == value }

// remoteClient is for a server by its URL. A token never travels in clear
// beyond this machine, and never follows a redirect.
func remoteClient(server, tokenFile string) (*client, error) {
	u, err := url.Parse(strings.TrimSuffix(server, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usage("--server %q is no address of a server, write https://NAME or https://NAME:PORT", server)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, usage("--server %s: the token would travel in clear, write https://", server)
	}
	token := os.Getenv("CRINALE_TOKEN")
	if tokenFile != "" {
		if token, err = secret("--token-file", tokenFile); err != nil {
			return nil, err
		}
	}
	if token == "" {
		return nil, usage("--server needs a token: name its file with --token-file, or put it into CRINALE_TOKEN; make one with crinale people token add")
	}
	return &client{where: u.String(), base: u.String(), token: token, http: http.Client{
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// call asks the server; a problem it answers with becomes an error of its
// kind. in (nil: none) is sent as JSON, the answer is read into into (nil:
// dropped).
func (c *client) call(ctx context.Context, method, path string, in, into any) error {
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return fault.New(fault.Unreachable, "read the server's answer: %w", err)
	}
	if res.StatusCode >= 300 {
		return problem(res, body)
	}
	if into == nil || len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// send asks and gives the answer, whatever its status.
func (c *client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	switch {
	case err == nil:
		return res, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fault.New(fault.Unreachable, "no crinale runs on %s: start crinale run or crinale demo, or name the right place with --data or --server", c.where)
	case errors.Is(err, os.ErrPermission):
		return nil, fault.New(fault.Denied, "the socket in %s is not yours: run the command as the user that runs crinale, or use --server with a token", c.where)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL, which is in the message already
	}
	return nil, fault.New(fault.Unreachable, "ask the server on %s: %w", c.where, err)
}

// problem is an answer that is none as an error of its kind.
func problem(res *http.Response, body []byte) error {
	var p web.Problem
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		return fmt.Errorf("the server answered %s, and not as crinale does: is the address right?", res.Status)
	}
	if res.StatusCode == http.StatusUnauthorized {
		return fault.New(fault.Denied, "the server does not take the token: it may have expired or been revoked; ask for a new one")
	}
	if res.StatusCode >= 500 && p.Ref != "" && fault.Named(p.Kind) == fault.Internal {
		p.Detail += " " + p.Ref
	}
	return fault.New(fault.Named(p.Kind), "%s", p.Detail)
}

// every reads a whole list, page after page, from under its key.
func every[T any](ctx context.Context, c *client, path, key string) ([]T, error) {
	all := []T{}
	glue := "?"
	if strings.Contains(path, "?") {
		glue = "&"
	}
	for after := ""; ; {
		var body map[string]json.RawMessage
		q := path + glue + "limit=1000"
		if after != "" {
			q += "&after=" + url.QueryEscape(after)
		}
		if err := c.call(ctx, http.MethodGet, q, nil, &body); err != nil {
			return nil, err
		}
		var items []T
		var next *string
		if err := json.Unmarshal(body[key], &items); err != nil {
			return nil, fmt.Errorf("read the server's list of %s: %w", key, err)
		}
		if n := body["next"]; n != nil {
			if err := json.Unmarshal(n, &next); err != nil {
				return nil, fmt.Errorf("read the server's list of %s: %w", key, err)
			}
		}
		all = append(all, items...)
		if next == nil || *next == "" || *next == after {
			return all, nil
		}
		after = *next
	}
}

// listing is the verb of a list of the server: JSON under its name, else each of
// it by say, or none where it is empty and none is a sentence.
func listing[T any](c *cli.Context, path, name, none string, say func(w io.Writer, items []T) error) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	items, err := every[T](c.Context, cl, path, name)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, map[string]any{name: items})
	}
	if len(items) == 0 && none != "" {
		_, err := fmt.Fprintln(c.App.Writer, none)
		return err
	}
	return say(c.App.Writer, items)
}
