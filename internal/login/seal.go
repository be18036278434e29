package login

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
)

// KeySize is the length of Config.Key in bytes.
const KeySize = 32

// keys are made from the one key, so that no two uses share one.
type keys struct {
	box cipher.AEAD // seals
	mac []byte      // marks
}

func newKeys(key []byte) (keys, error) {
	if len(key) != KeySize {
		return keys{}, fault.New(fault.Invalid, "accounts: the key has %d bytes; it must have %d", len(key), KeySize)
	}
	seal, err := hkdf.Key(sha256.New, key, nil, "crinale login seal 1", KeySize)
	if err != nil {
		return keys{}, fmt.Errorf("accounts: make a key: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, key, nil, "crinale login mark 1", KeySize)
	if err != nil {
		return keys{}, fmt.Errorf("accounts: make a key: %w", err)
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return keys{}, fmt.Errorf("accounts: make a key: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	return keys{box, mac}, err
}

// seal hides a secret; about is what it belongs to and opens it only there.
func (k keys) seal(secret []byte, about string) string {
	return base64.RawURLEncoding.EncodeToString(k.box.Seal(nil, nil, secret, []byte(about)))
}

func (k keys) open(sealed, about string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, false
	}
	secret, err := k.box.Open(nil, nil, b, []byte(about))
	return secret, err == nil
}

// mark is a name for the parts that only the holder of the key can make.
func (k keys) mark(parts ...string) string {
	h := hmac.New(sha256.New, k.mac)
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// random bytes. crypto/rand never gives fewer: it ends the program instead.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// digest of a secret that is long and random, which needs no slow hash.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
