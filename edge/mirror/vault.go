package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// VaultConfig is how a vault takes what an edge sends.
type VaultConfig struct {
	Dir         string
	MaxObject   int64         // bytes
	MaxManifest int64         // bytes
	Ahead       time.Duration // how far a manifest may be ahead of the vault's clock
	Now         func() time.Time
	Allow       func(*http.Request) bool // who may add; must be given
}

// DefaultVault takes objects of 16 GiB, and manifests of 256 MiB.
func DefaultVault() VaultConfig {
	return VaultConfig{MaxObject: 16 << 30, MaxManifest: 256 << 20, Ahead: time.Hour, Now: time.Now}
}

// Vault is the peer that holds another copy. It is only added to:
//
//	PUT /objects/HASH          201 kept, 200 was there, 422 the bytes are others
//	PUT /manifests/NAME.json   201 kept, 200 was there, 409 {"missing": [HASH, …]} or another is there
//
// There is no request that removes or changes anything, so that whoever takes
// over an edge cannot spoil what the vault has. Old snapshots go by Retain of
// Repo, on the vault's own clock.
type Vault struct {
	cfg  VaultConfig
	repo *Repo
}

// NewVault is a vault; nothing is touched before a request.
func NewVault(cfg VaultConfig) (*Vault, error) {
	if cfg.Dir == "" || cfg.Allow == nil || cfg.Now == nil || cfg.MaxObject <= 0 || cfg.MaxManifest <= 0 {
		return nil, fault.New(fault.Invalid, "vault: dir, allow, now and the bounds are needed: begin with DefaultVault()")
	}
	return &Vault{cfg, NewRepo(cfg.Dir)}, nil
}

// Repo is the vault's repository, for Verify, Restore and Retain on its machine.
func (v *Vault) Repo() *Repo { return v.repo }

func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !v.cfg.Allow(r) {
		http.Error(w, "not allowed", http.StatusForbidden)
		return
	}
	kind, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, isManifest := nameTime(name)
	switch {
	case kind == "objects" && isHash(name), kind == "manifests" && isManifest:
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPut {
		w.Header().Set("Allow", http.MethodPut)
		http.Error(w, "a vault is only added to", http.StatusMethodNotAllowed)
		return
	}
	if kind == "objects" {
		v.putObject(w, r, name)
	} else {
		v.putManifest(w, r, name)
	}
}

func (v *Vault) putObject(w http.ResponseWriter, r *http.Request, hash string) {
	// One that is there is read again: a sender that offers it may be its mend.
	if v.repo.has(hash, -1) {
		if s, err := v.repo.look(hash); err == nil && s == whole {
			w.WriteHeader(http.StatusOK)
			return
		}
		if err := v.repo.SetAside(hash); err != nil {
			http.Error(w, "the vault's disk", http.StatusInternalServerError)
			return
		}
	}
	f, err := v.repo.draft()
	if err != nil {
		http.Error(w, "the vault's disk", http.StatusInternalServerError)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(&diskWriter{f}, h), http.MaxBytesReader(w, r.Body, v.cfg.MaxObject))
	var disk *diskError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &disk):
		http.Error(w, "the vault's disk", http.StatusInsufficientStorage)
	case errors.As(err, &large):
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "the body was cut", http.StatusBadRequest)
	case hex.EncodeToString(h.Sum(nil)) != hash:
		http.Error(w, "these bytes have another SHA-256", http.StatusUnprocessableEntity)
	case v.repo.adopt(f.Name(), hash) != nil:
		http.Error(w, "the vault's disk", http.StatusInsufficientStorage)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

func (v *Vault) putManifest(w http.ResponseWriter, r *http.Request, name string) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, v.cfg.MaxManifest))
	if err != nil {
		http.Error(w, "the body was cut, or is too large", http.StatusBadRequest)
		return
	}
	m, err := ParseManifest(data)
	if err != nil || m.Name() != name {
		http.Error(w, fmt.Sprintf("no manifest of this name: %v", err), http.StatusUnprocessableEntity)
		return
	}
	now := v.cfg.Now()
	if m.At.Sub(now) > v.cfg.Ahead {
		http.Error(w, "the manifest is ahead of the vault's clock: set the clock of the edge", http.StatusUnprocessableEntity)
		return
	}
	// Retention must not take an object between the look and the manifest.
	v.repo.mu.Lock()
	defer v.repo.mu.Unlock()
	old, _, err := v.repo.Load(name)
	there := err == nil && old != nil
	lacks := []string{}
	for _, e := range m.Documents {
		if !v.repo.has(e.SHA256, e.Size) {
			lacks = append(lacks, e.SHA256)
		}
	}
	if len(lacks) > 0 {
		slices.Sort(lacks)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		json.NewEncoder(w).Encode(map[string][]string{"missing": slices.Compact(lacks)})
		return
	}
	switch err := v.repo.addManifest(name, data, now); {
	case fault.Of(err) == fault.Conflict:
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, "the vault's disk", http.StatusInsufficientStorage)
	case there:
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

// Replicate sends every snapshot that a vault lacks, oldest first, and the
// objects it lacks of each. base is the vault's address. authorize puts in what
// lets us in; nil is nothing. It may be stopped and called again at any time.
func (r *Repo) Replicate(ctx context.Context, client *http.Client, base string, authorize func(*http.Request)) (sent int, err error) {
	names, err := r.Snapshots()
	if err != nil {
		return 0, err
	}
	put := func(path string, body io.Reader, size int64) (int, []byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, strings.TrimSuffix(base, "/")+path, body)
		if err != nil {
			return 0, nil, fault.As(fault.Invalid, err)
		}
		if req.ContentLength = size; size == 0 {
			req.Body = http.NoBody
		}
		if authorize != nil {
			authorize(req)
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, nil, fault.New(fault.Unreachable, "vault: %w", err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
		return resp.StatusCode, answer, err
	}
	for _, name := range names {
		data, err := os.ReadFile(r.path("manifests", name))
		if err != nil {
			return sent, err
		}
		if _, err := ParseManifest(data); err != nil {
			return sent, fmt.Errorf("%s: %w", name, err)
		}
		for range 3 { // retention there may take an object between two of our requests
			status, answer, err := put("/manifests/"+name, bytes.NewReader(data), int64(len(data)))
			if err != nil {
				return sent, err
			}
			if status == http.StatusOK || status == http.StatusCreated {
				data = nil
				break
			}
			var lacks struct{ Missing []string }
			if status != http.StatusConflict || json.Unmarshal(answer, &lacks) != nil || len(lacks.Missing) == 0 {
				return sent, fault.New(fault.Refused, "vault: %s: %d %.200s", name, status, answer)
			}
			for _, hash := range lacks.Missing {
				if err := r.sendObject(hash, put); err != nil {
					return sent, err
				}
				sent++
			}
		}
		if data != nil {
			return sent, fault.New(fault.Refused, "vault: %s: objects are missing again and again", name)
		}
	}
	return sent, nil
}

func (r *Repo) sendObject(hash string, put func(string, io.Reader, int64) (int, []byte, error)) error {
	if !r.has(hash, -1) {
		return fault.New(fault.NotFound, "object %.80q: the vault asks for it and it is not here: verify", hash)
	}
	f, err := os.Open(r.object(hash))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	status, answer, err := put("/objects/"+hash, f, info.Size())
	if err == nil && status != http.StatusOK && status != http.StatusCreated {
		err = fault.New(fault.Refused, "vault: object %s: %d %.200s", hash, status, answer)
	}
	return err
}
