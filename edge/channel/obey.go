package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crinale/crinale/edge"
)

// obey carries out what is due. That it was is written only when the disk knows
// all that was forgotten: whoever dies between the two forgets once more.
func (c *Channel) obey(ctx context.Context, o edge.Orders) error {
	c.mu.Lock()
	last := c.obeyed
	c.mu.Unlock()
	due, next := o.Due(last)
	if len(due) > 0 {
		c.heard.Store(false) // a large store takes minutes to forget all
	}
	for _, order := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.deps.Forget(order); err != nil {
			return fmt.Errorf("order %d: %w", order.Seq, err)
		}
	}
	if next != last {
		if err := writeObeyed(c.cfg.File, next); err != nil {
			return fmt.Errorf("remember that order %d was obeyed: %w", next.Seq, err)
		}
	}
	if len(due) > 0 {
		c.deps.Log.Info("orders of the controller obeyed", "from", max(last.Seq, 0)+1, "to", next.Seq, "all", due[0].Kind == edge.OrderAll)
	}
	c.mu.Lock()
	c.obeyed, c.state.Obeyed = next, next.Seq
	c.mu.Unlock()
	return nil
}

// readObeyed is the zero one where there is no file.
func readObeyed(path string) (o edge.Obeyed, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return edge.Obeyed{}, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err == nil && o.Seq < 0 {
		err = fmt.Errorf("number %d", o.Seq)
	}
	return o, err
}

// writeObeyed returns when the disk has it: the file is whole, old or new, whenever
// the power goes.
func writeObeyed(path string, o edge.Obeyed) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".orders-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
