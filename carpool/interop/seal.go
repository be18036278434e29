package interop

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// names seals what things of the portal are called, so that an operator can
// name them again but learns nothing from the name, and two operators get
// different names for one driver. Nothing is kept for it.
type names struct{ secret []byte }

// seal gives the outside name of some parts: the same parts, the same name.
func (n names) seal(kind, operator string, parts ...string) string {
	text := []byte(strings.Join(parts, "\x00"))
	box, key := n.box(kind, operator)
	m := hmac.New(sha256.New, key)
	m.Write(text)
	nonce := m.Sum(nil)[:box.NonceSize()] // made from the text: only the same text has the same
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, text, nil))
}

// open is the inverse of seal; false for what was not sealed here for this
// operator.
func (n names) open(kind, operator, name string, parts int) ([]string, bool) {
	b, err := base64.RawURLEncoding.DecodeString(name)
	box, _ := n.box(kind, operator)
	if err != nil || len(b) < box.NonceSize() {
		return nil, false
	}
	text, err := box.Open(nil, b[:box.NonceSize()], b[box.NonceSize():], nil)
	if err != nil {
		return nil, false
	}
	list := strings.Split(string(text), "\x00")
	return list, len(list) == parts
}

func (n names) box(kind, operator string) (cipher.AEAD, []byte) {
	derive := func(what string) []byte {
		m := hmac.New(sha256.New, n.secret)
		m.Write([]byte("crinale interop " + what + "\x00" + kind + "\x00" + operator))
		return m.Sum(nil)
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return box, derive("nonce")
}
