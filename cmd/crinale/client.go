package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// serverFlags say which running server a command speaks to.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "data `FOLDER` of the running server", EnvVars: []string{"CRINALE_DATA"}},
		configFlag(),
	}
}

// client speaks to the running server through its socket.
type client struct {
	data string
	http http.Client
}

func newClient(c *cli.Context) (*client, error) {
	data := c.String("data")
	if data == "" {
		cfg, err := loadConfig(c.String("config"))
		if err != nil {
			return nil, err
		}
		data = cfg.Data
	}
	path, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	return &client{data: data, http: http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}},
	}}, nil
}

// call asks the server; a problem it answers with becomes an error of its
// kind. into may be nil.
func (c *client) call(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, nil)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fault.New(fault.Unreachable, "no crinale runs on the data folder %s: start crinale run or crinale demo, or name the folder with --data", c.data)
	case errors.Is(err, os.ErrPermission):
		return fault.New(fault.Denied, "the socket in %s is not yours: run the command as the user that runs crinale", c.data)
	case err != nil:
		return fault.New(fault.Unreachable, "ask the server on %s: %w", c.data, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return fault.New(fault.Unreachable, "read the server's answer: %w", err)
	}
	if res.StatusCode >= 400 {
		var p web.Problem
		if json.Unmarshal(body, &p) != nil || p.Detail == "" {
			return fmt.Errorf("the server answered %s", res.Status)
		}
		return fault.New(fault.Named(p.Kind), "%s", p.Detail)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
