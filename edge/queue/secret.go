package queue

import (
	"encoding/json"
	"net/http"

	"github.com/crinale/crinale/internal/fault"
)

// seal keeps Authorization and Cookie with an entry. They are never on the disk in the clear.
func (q *Queue) seal(e *Entry, h http.Header) error {
	key, ok := q.key(e.Comune)
	if !ok {
		return fault.New(fault.Refused, "credentials of a write for %s: the comune has no key to seal them", e.Service)
	}
	secret := http.Header{}
	for _, name := range secretFields {
		if lines := h[name]; len(lines) > 0 {
			secret[name] = lines
		}
	}
	data, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	aead, err := sealer(key, e.Body.ID, "credentials")
	if err != nil {
		return err
	}
	e.Secret = aead.Seal(nil, nonce(0, true), data, nil)
	e.SecretID = e.Body.ID
	return nil
}

var secretFields = []string{"Authorization", "Cookie"}

// unseal puts what seal kept into a header.
func (q *Queue) unseal(e *Entry, h http.Header) error {
	if len(e.Secret) == 0 {
		return nil
	}
	key, ok := q.key(e.Comune)
	if !ok {
		return errNoKey
	}
	aead, err := sealer(key, e.SecretID, "credentials")
	if err != nil {
		return err
	}
	data, err := aead.Open(nil, nonce(0, true), e.Secret, nil)
	if err != nil {
		return errSealed
	}
	secret := http.Header{}
	if err := json.Unmarshal(data, &secret); err != nil {
		return err
	}
	for _, name := range secretFields {
		if lines := secret[name]; len(lines) > 0 {
			h[name] = lines
		}
	}
	return nil
}
