package acme

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/crinale/crinale/internal/fault"
)

// Bounds of one certificate: of all of it, and of the program that sets a record.
const (
	orderTime = 15 * time.Minute
	hookTime  = 5 * time.Minute
)

// obtain is a new key and the certificates for a name, as PEM.
func (k *Keeper) obtain(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, orderTime+k.cfg.Settle)
	defer cancel()
	client, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(name))
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	for _, at := range order.AuthzURLs {
		if err := k.prove(ctx, client, at); err != nil {
			return nil, err
		}
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{name}}, key)
	if err != nil {
		return nil, err
	}
	chain, err := finish(ctx, client, order, csr)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_ = pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: der}) // a buffer takes all
	for _, c := range chain {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c})
	}
	return out.Bytes(), nil
}

// finish has the certificates of an order made and fetches them. The answer of an
// authority that is still at work need not name the order (RFC 8555 §7.4), and the
// library does not know then where to look: the order itself is asked.
func finish(ctx context.Context, client *acme.Client, order *acme.Order, csr []byte) ([][]byte, error) {
	chain, _, err := client.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err == nil {
		return chain, nil
	}
	made, e := client.WaitOrder(ctx, order.URI)
	if e != nil || made.CertURL == "" {
		return nil, err
	}
	return client.FetchCert(ctx, made.CertURL, true)
}

// client is one with the account of this edge, made when there is none.
func (k *Keeper) client(ctx context.Context) (*acme.Client, error) {
	key, err := k.accountKey()
	if err != nil {
		return nil, err
	}
	c := &acme.Client{Key: key, DirectoryURL: k.cfg.Directory, HTTPClient: k.http, UserAgent: "crinale"}
	var contact []string
	if k.cfg.Email != "" {
		contact = []string{"mailto:" + k.cfg.Email}
	}
	if _, err := c.Register(ctx, &acme.Account{Contact: contact}, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, fmt.Errorf("account: %w", err)
	}
	return c, nil
}

// accountKey is read, or made once.
func (k *Keeper) accountKey() (crypto.Signer, error) {
	file := filepath.Join(k.cfg.Dir, "account.key")
	b, err := os.ReadFile(file)
	if err == nil {
		block, _ := pem.Decode(b)
		if block == nil {
			return nil, fault.New(fault.Invalid, "%s is no key in PEM: move it away, and another account is made", file)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, fault.New(fault.Invalid, "%s cannot be read as a key: move it away, and another account is made", file)
		}
		return signer, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, write(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// prove shows that a name is ours: its record says what the authority gave.
func (k *Keeper) prove(ctx context.Context, client *acme.Client, at string) error {
	z, err := client.GetAuthorization(ctx, at)
	if err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	if z.Status == acme.StatusValid {
		return nil
	}
	var by *acme.Challenge
	for _, c := range z.Challenges {
		if c.Type == "dns-01" {
			by = c
		}
	}
	if by == nil {
		return fault.New(fault.Refused, "the authority does not offer dns-01 for %s", z.Identifier.Value)
	}
	value, err := client.DNS01ChallengeRecord(by.Token)
	if err != nil {
		return err
	}
	record := "_acme-challenge." + z.Identifier.Value
	if err := k.hook(ctx, "present", record, value); err != nil {
		return err
	}
	defer func() {
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), hookTime)
		defer cancel()
		if err := k.hook(done, "cleanup", record, value); err != nil {
			k.log.Warn("acme: the record stays", "record", record, "err", err)
		}
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(k.cfg.Settle):
	}
	if _, err := client.Accept(ctx, by); err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	if _, err := client.WaitAuthorization(ctx, at); err != nil {
		return fmt.Errorf("the authority did not find %s: %w", record, err)
	}
	return nil
}

// hook runs the program that keeps the zone.
func (k *Keeper) hook(ctx context.Context, do, record, value string) error {
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.cfg.Hook[0], append(append([]string(nil), k.cfg.Hook[1:]...), do, record, value)...)
	cmd.WaitDelay = 5 * time.Second
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fault.New(fault.Refused, "dns_hook %s %s %s: %w: %.200q", k.cfg.Hook[0], do, record, err, strings.TrimSpace(string(said)))
	}
	return nil
}
