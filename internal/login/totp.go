package login

import (
	"bytes"
	"context"
	"image/png"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// The second factor as authenticator apps know it (RFC 6238): six digits, a
// new code every 30 s, SHA-1 under a secret of 20 bytes. The code before and
// the one after are taken too; none is taken twice.
const (
	totpPeriod    = 30
	totpSkew      = 1
	totpDigits    = otp.DigitsSix
	recoveryCodes = 10
	qrPixels      = 256
)

// TOTPSetup is shown once, to be put into an authenticator app.
type TOTPSetup struct {
	Secret string // base 32, for typing
	URI    string // otpauth://…
	QR     []byte // PNG of the URI
}

// StartTOTP makes a secret. It counts once ConfirmTOTP has seen a code of it;
// till then a second factor that was there goes on. Ask for the password again
// first (CheckOwn): a borrowed screen must not be enough.
func (p *People) StartTOTP(ctx context.Context, person string) (TOTPSetup, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: p.cfg.Issuer, AccountName: person, Period: totpPeriod, Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return TOTPSetup{}, about("make a second factor for", person, err)
	}
	picture, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return TOTPSetup{}, about("draw the second factor of", person, err)
	}
	var qr bytes.Buffer
	if err := png.Encode(&qr, picture); err != nil {
		return TOTPSetup{}, about("draw the second factor of", person, err)
	}
	sealed := p.keys.seal([]byte(key.Secret()), totpOf(person))
	err = p.do(ctx, "person.totp-start", person, nil, func(tx *store.Tx) error {
		if _, err := p.row(ctx, tx, person); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE login_person SET totp_pending = $2 WHERE name = $1`, person, sealed)
		return err
	})
	if err != nil {
		return TOTPSetup{}, about("make a second factor for", person, err)
	}
	return TOTPSetup{Secret: key.Secret(), URI: key.URL(), QR: qr.Bytes()}, nil
}

// totpOf is what a sealed secret belongs to.
func totpOf(person string) string { return "totp " + person }

// ConfirmTOTP turns the second factor on, once the app gives the right code,
// and gives the recovery codes: each lets in once instead of the app. They are
// told only now. Sessions stay.
func (p *People) ConfirmTOTP(ctx context.Context, person, code string) ([]string, error) {
	t := try{name: person, known: "own code\x00" + person}
	if wait := p.limits.take(t, p.clock()); wait > 0 {
		return nil, about("confirm the second factor of", person, slow(wait))
	}
	codes, marks := p.newRecovery(person)
	err := p.do(ctx, "person.totp-on", person, nil, func(tx *store.Tx) error {
		r, err := p.row(ctx, tx, person)
		if err != nil {
			return err
		}
		if r.pending == "" {
			return fault.New(fault.Conflict, "none was begun, or it is confirmed already; begin again")
		}
		step, err := p.step(person, r.pending, code, 0)
		if err != nil {
			return err
		}
		if step == 0 {
			return fault.New(fault.Denied, "the code is not right: type the six digits that the app shows now, and check that the phone's clock is right")
		}
		if _, err := tx.Exec(ctx, `UPDATE login_person SET totp = totp_pending, totp_pending = '', totp_step = $2 WHERE name = $1`, person, step); err != nil {
			return err
		}
		return putRecovery(ctx, tx, person, marks)
	})
	if err != nil {
		return nil, about("confirm the second factor of", person, err)
	}
	p.limits.give(t)
	return codes, nil
}

// NewRecovery replaces all recovery codes of an account with a second factor.
func (p *People) NewRecovery(ctx context.Context, person string) ([]string, error) {
	codes, marks := p.newRecovery(person)
	err := p.do(ctx, "person.recovery-new", person, nil, func(tx *store.Tx) error {
		r, err := p.row(ctx, tx, person)
		if err != nil {
			return err
		}
		if r.totp == "" {
			return fault.New(fault.Conflict, "it has no second factor")
		}
		return putRecovery(ctx, tx, person, marks)
	})
	if err != nil {
		return nil, about("make recovery codes for", person, err)
	}
	return codes, nil
}

func (p *People) newRecovery(person string) (codes, marks []string) {
	for range recoveryCodes {
		c := newCode(recoveryLetters, codeGroup)
		folded, _ := foldCode(c, recoveryLetters)
		codes, marks = append(codes, c), append(marks, p.keys.mark("recovery", person, folded))
	}
	return codes, marks
}

func putRecovery(ctx context.Context, tx *store.Tx, person string, marks []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM login_recovery WHERE person = $1`, person); err != nil {
		return err
	}
	for _, m := range marks {
		if _, err := tx.Exec(ctx, `INSERT INTO login_recovery (person, hash) VALUES ($1, $2)`, person, m); err != nil {
			return err
		}
	}
	return nil
}

// DropTOTP turns the second factor off, recovery codes with it: the owner who
// gives it up, or an admin for somebody whose phone is lost.
func (p *People) DropTOTP(ctx context.Context, person string) error {
	err := p.do(ctx, "person.totp-off", person, nil, func(tx *store.Tx) error {
		r, err := p.row(ctx, tx, person)
		if err != nil {
			return err
		}
		if r.totp == "" && r.pending == "" {
			return fault.New(fault.NotFound, "it has no second factor")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM login_recovery WHERE person = $1`, person); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE login_person SET totp = '', totp_pending = '' WHERE name = $1`, person)
		return err
	})
	return about("turn off the second factor of", person, err)
}

// step is the 30 s step whose code was typed, 0 where none fits. Steps up to
// last were used already and do not count again.
func (p *People) step(person, sealed, code string, last int64) (int64, error) {
	secret, ok := p.keys.open(sealed, totpOf(person))
	if !ok {
		return 0, fault.New(fault.Internal, "its second factor was sealed with another key; put that key back, or let an admin turn the second factor off")
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	now := p.clock().Unix() / totpPeriod
	found := int64(0)
	for s := now - totpSkew; s <= now+totpSkew; s++ {
		fits, err := hotp.ValidateCustom(code, uint64(s), string(secret), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && fits && s > last && found == 0 {
			found = s
		}
	}
	return found, nil
}

// second spends a code of the second factor, of the app or a recovery code, in
// tx. It says which it was, "" where it was neither.
func (p *People) second(ctx context.Context, tx *store.Tx, r record, code string) (string, error) {
	step, err := p.step(r.name, r.totp, code, r.step)
	if err != nil {
		return "", err
	}
	if step != 0 {
		_, err := tx.Exec(ctx, `UPDATE login_person SET totp_step = $2 WHERE name = $1`, r.name, step)
		return "app", err
	}
	folded, ok := foldCode(code, recoveryLetters)
	if !ok {
		return "", nil
	}
	res, err := tx.Exec(ctx, `DELETE FROM login_recovery WHERE person = $1 AND hash = $2`, r.name, p.keys.mark("recovery", r.name, folded))
	if err != nil {
		return "", err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return "", err
	}
	return "recovery", nil
}
