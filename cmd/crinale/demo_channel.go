package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
)

// demoChannel enrols an edge of the demo at its controller, once, with its password
// in a file of its owner, and gives the lines of its edge.yaml for it; none where
// the network files do not have its device, as in a small demo.
func demoChannel(ctx context.Context, s *server, h demoHall, dir string) (string, error) {
	id, file := controller.EdgeID(h.name), filepath.Join(dir, "password")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	_, missing := os.Stat(file)
	if errors.Is(missing, os.ErrNotExist) {
		if err := s.edges.Remove(ctx, id); err != nil && fault.Of(err) != fault.NotFound {
			return "", err
		}
	}
	made, err := s.edges.Enrol(ctx, id, h.device)
	switch fault.Of(err) {
	case fault.Conflict: // it is in, and the file has its password
	case fault.Invalid:
		return "", nil
	default:
		if err == nil {
			err = writeFile(file, ownerOnly, func(w io.Writer) error { _, err := fmt.Fprintln(w, made.Password); return err })
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("controller: {broker: \"tcp://%s\", user: %s, password_file: %q}\n", s.cfg.MQTT.Listen, id.User(), file), nil
}
