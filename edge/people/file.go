package people

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/crinale/crinale/internal/fault"
)

const form = 1

// read gives what a file holds; one that is not there is empty.
func read(file string) (state, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return state{Form: form}, nil
	}
	if err != nil {
		return state{}, fault.New(fault.Refused, "people: %w", err)
	}
	return parse(file, data)
}

func parse(file string, data []byte) (state, error) {
	var s state
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return state{}, fault.New(fault.Invalid, "people: %s cannot be read: %w: put back a copy, or remove it and invite everybody again", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || s.Form != form {
		return state{}, fault.New(fault.Invalid, "people: %s is not of form %d: put back a copy, or remove it and invite everybody again", file, form)
	}
	return s, nil
}

// save writes the state whole or not at all, and has it on the disk.
func save(file string, s state) error {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".people-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// change brings the book from one state to the next, on the disk before it is
// seen. An error of do changes nothing.
func (b *Book) change(do func(*state) (Event, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changeLocked(do, false)
}

// changeLocked is change for who holds the lock. With evenUnkept what cannot be
// written counts in memory: a full disk keeps nobody out, and lets nobody guess.
func (b *Book) changeLocked(do func(*state) (Event, error), evenUnkept bool) error {
	next := b.state.clone()
	e, err := do(&next)
	if err != nil {
		return err
	}
	now := b.cfg.Now().UTC()
	if e.What != "" {
		e.At = now
		next.Events = append(next.Events, e)
	}
	next.Events = slices.DeleteFunc(next.Events, func(e Event) bool { return now.Sub(e.At) > keepEvents })
	if n := len(next.Events) - mostEvents; n > 0 {
		next.Events = next.Events[n:]
	}
	for i := range next.People {
		p := &next.People[i]
		p.Devices = slices.DeleteFunc(p.Devices, func(d Device) bool { return now.Sub(d.Last) > b.cfg.Unused })
	}
	if err := save(b.cfg.File, next); err != nil {
		if !evenUnkept {
			return fault.New(fault.Refused, "people: it cannot be kept: %w", err)
		}
		b.log.Warn("people: it cannot be kept", "err", err)
	}
	b.state = next
	if e.What != "" {
		b.log.Info("people", "what", e.What, "person", e.Person, "by", e.By)
	}
	return nil
}

func (s state) clone() state {
	s.People = slices.Clone(s.People)
	for i := range s.People {
		s.People[i].Devices = slices.Clone(s.People[i].Devices)
	}
	s.Events = slices.Clone(s.Events)
	return s
}
