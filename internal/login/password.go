package login

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/crinale/crinale/internal/fault"
)

// HashCost is how much work one argon2id hash is. It runs on one thread.
type HashCost struct {
	Passes    uint32
	MemoryKiB uint32
}

func (c HashCost) check() error {
	if c.Passes < 1 || c.Passes > 100 || c.MemoryKiB < 8 || c.MemoryKiB > 1<<20 {
		return fault.New(fault.Invalid, "accounts: cost of a password's hash: 1 to 100 passes over 8 KiB to 1 GiB; not %d over %d KiB", c.Passes, c.MemoryKiB)
	}
	return nil
}

const (
	saltSize = 16
	hashSize = 32
)

// hasher hashes few passwords at a time, since each takes a core and much
// memory; a bounded number may wait.
type hasher struct {
	cost    HashCost
	slots   chan struct{}
	waiting atomic.Int64
	most    int64
	count   atomic.Int64 // hashes made
	nobody  phc          // stands in where there is no password: the same work
}

func newHasher(cost HashCost, atOnce, most int) *hasher {
	return &hasher{cost: cost, slots: make(chan struct{}, atOnce), most: int64(most),
		nobody: phc{cost: cost, salt: random(saltSize), hash: random(hashSize)}}
}

// phc is a stored hash: "$argon2id$v=19$m=32768,t=3,p=1$salt$hash".
type phc struct {
	cost HashCost
	salt []byte
	hash []byte
}

var b64 = base64.RawStdEncoding.Strict()

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, h.cost.MemoryKiB, h.cost.Passes, b64.EncodeToString(h.salt), b64.EncodeToString(h.hash))
}

func parsePHC(s string) (phc, error) {
	bad := fault.New(fault.Internal, "a stored password is damaged; invite the account anew")
	f := strings.Split(s, "$")
	if len(f) != 6 {
		return phc{}, bad
	}
	var h phc
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=1", &h.cost.MemoryKiB, &h.cost.Passes); err != nil || h.cost.check() != nil {
		return phc{}, bad
	}
	var err error
	if h.salt, err = b64.DecodeString(f[4]); err != nil || len(h.salt) != saltSize {
		return phc{}, bad
	}
	if h.hash, err = b64.DecodeString(f[5]); err != nil || len(h.hash) != hashSize || h.String() != s {
		return phc{}, bad
	}
	return h, nil
}

// work runs argon2id when it is its turn. Too many in front: Slow.
func (h *hasher) work(ctx context.Context, password string, salt []byte, cost HashCost) ([]byte, error) {
	if h.waiting.Add(1) > h.most+int64(cap(h.slots)) {
		h.waiting.Add(-1)
		return nil, slow(2 * time.Second)
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to check a password: %w", context.Cause(ctx))
	}
	h.count.Add(1)
	return argon2.IDKey([]byte(password), salt, cost.Passes, cost.MemoryKiB, 1, hashSize), nil
}

// make hashes a new password.
func (h *hasher) make(ctx context.Context, password string) (phc, error) {
	n := phc{cost: h.cost, salt: random(saltSize)}
	var err error
	n.hash, err = h.work(ctx, password, n.salt, n.cost)
	return n, err
}

// fits says whether the password is the one of the stored hash. An empty hash
// fits none, after the same work.
func (h *hasher) fits(ctx context.Context, password, stored string) (bool, error) {
	want := h.nobody
	if stored != "" {
		var err error
		if want, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	got, err := h.work(ctx, password, want.salt, want.cost)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want.hash) == 1 && stored != "", nil
}

// old says whether a stored hash was made at another cost.
func (h *hasher) old(stored string) bool {
	p, err := parsePHC(stored)
	return err == nil && p.cost != h.cost
}
