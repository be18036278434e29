package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
)

type demoLogin struct {
	ID       network.PartnerID `json:"id"`
	User     string            `json:"user"`
	Password string            `json:"password"`
}

type demoAccount struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// demoNetwork is the network in the demo's own folder, which the reader may
// edit; the first start writes it there.
func demoNetwork(c *cli.Context, dir string) (*network.Network, error) {
	if _, err := os.Stat(dir); err == nil {
		n, err := loadNetwork(dir)
		if err == nil && c.IsSet("radios") && c.Int("radios") != len(n.Radios()) {
			return nil, fault.New(fault.Conflict, "the network in %s has %d radios, and --radios asks for %d: leave the flag out, or choose another --data", dir, len(n.Radios()), c.Int("radios"))
		}
		return n, err
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("network of the demo: %w", err)
	}
	n, err := networkFor(c, "")
	if err != nil {
		return nil, err
	}
	// Beside its place first: a folder that is there is whole.
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".network-*")
	if err != nil {
		return nil, fmt.Errorf("network of the demo: %w", err)
	}
	defer os.RemoveAll(tmp)
	for name, text := range n.Files() {
		if err := writeFile(filepath.Join(tmp, name), forAll, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, fmt.Errorf("network of the demo: %w", err)
	}
	return loadNetwork(dir)
}

// readKept reads what an earlier start of the demo noted; nothing is no error.
func readKept(file string, into any) error {
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("demo: %w", err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fault.New(fault.Invalid, "%s: %w: remove the file, new passwords will be made", file, err)
	}
	return nil
}

// demoAccounts are accounts of each role, made once, with their passwords in a
// file of its owner. One whose password was changed since is left as it is,
// and out of the answer.
func demoAccounts(ctx context.Context, s *server, n *network.Network, file string) ([]demoAccount, error) {
	var before []demoAccount
	if err := readKept(file, &before); err != nil {
		return nil, err
	}
	all, now := slices.Clone(before), []demoAccount{}
	for _, role := range login.Roles() {
		name := string(role)
		i := slices.IndexFunc(before, func(a demoAccount) bool { return a.User == name })
		if i >= 0 {
			if err := s.people.CheckOwn(ctx, name, before[i].Password); err == nil {
				now = append(now, before[i])
				continue
			} else if fault.Of(err) != fault.NotFound {
				s.log.Warn("the password of a demo account was changed since, it is not in demo.json", "account", name)
				continue
			}
			all = slices.DeleteFunc(all, func(a demoAccount) bool { return a.User == name })
		}
		a, err := demoAccountOf(ctx, s, n, role)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
		all, now = append(all, a), append(now, a)
	}
	return now, writeFile(file, ownerOnly, func(w io.Writer) error { return printJSON(w, all) })
}

// demoAccountOf makes one account, or gives the one that is there a password.
func demoAccountOf(ctx context.Context, s *server, n *network.Network, role login.Role) (demoAccount, error) {
	g := login.Grant{Role: role, Scope: login.Union}
	if role == login.Partner {
		g.Scope = login.Scope{Kind: login.OfPartner, ID: string(n.Partners[0].ID)}
	}
	a := demoAccount{User: string(role), Password: strings.ToLower(rand.Text()[:12]), Role: string(role)}
	inv, err := s.people.Invite(ctx, a.User, []login.Grant{g})
	if fault.Of(err) == fault.Conflict { // the file was removed to have new ones
		inv, err = s.people.Invite(ctx, a.User, nil)
	}
	if err != nil {
		return a, err
	}
	_, err = s.people.Accept(ctx, inv.Code, a.Password)
	return a, err
}

// demoPartners lets the partners of the demo network in, once, and keeps their
// passwords in a file of its owner, so that a second start has the same. A
// partner that was revoked or rotated since is left as it is, and out of the
// answer: its password is not ours any more.
func demoPartners(ctx context.Context, s *server, n *network.Network, file string) ([]demoLogin, error) {
	var kept, now []demoLogin
	if err := readKept(file, &kept); err != nil {
		return nil, err
	}
	for _, p := range n.Partners {
		if i := slices.IndexFunc(kept, func(l demoLogin) bool { return l.ID == p.ID }); i >= 0 {
			if ok, err := s.partners.Verify(ctx, p.ID, kept[i].Password); err == nil && ok {
				now = append(now, kept[i])
			} else {
				s.log.Warn("the password of a demo partner was changed since, it is not in demo.json", "partner", p.ID)
			}
			continue
		}
		made, err := s.partners.Add(ctx, p.ID)
		if fault.Of(err) == fault.Conflict {
			made, err = s.partners.Rotate(ctx, p.ID) // the file was removed to have new ones
		}
		if err != nil {
			return nil, fmt.Errorf("partner %s: %w", p.ID, err)
		}
		l := demoLogin{made.ID, made.User, made.Password}
		kept, now = append(kept, l), append(now, l)
	}
	return now, writeFile(file, ownerOnly, func(w io.Writer) error { return printJSON(w, kept) })
}
