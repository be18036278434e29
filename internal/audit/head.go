package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// anchor is a file with the number and hash of the last line, so that a log
// cut at its end is noticed. It is worth most where whoever can write to the
// database cannot write to it.
//
// It is overwritten in place, in one write of one size, after each group, and
// every few seconds for lines that came by Add alone: a killed process leaves
// it a little behind, which says no less about the lines before. It never goes
// back.
type anchor struct {
	path string

	mu     sync.Mutex
	file   *os.File
	at     Anchor
	frozen bool // it does not fit the log: kept as it is, as evidence
}

// Anchor is the last line of a log as something outside it remembers it.
type Anchor struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// size of the file: one JSON object, filled with spaces and ended by a newline.
const anchorSize = 128

func (a *anchor) open(ctx context.Context, tx *store.Tx) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(a.path), 0o700); err != nil {
		return fault.New(fault.Invalid, "open the anchor of the audit log: %w; give the user that runs crinale the right to write there", err)
	}
	at, err := readAnchor(a.path)
	fresh := errors.Is(err, fs.ErrNotExist)
	switch {
	case fresh:
		last, err := lastLine(ctx, tx)
		if err != nil {
			return fmt.Errorf("read the end of the audit log: %w", err)
		}
		at = Anchor{last.Seq, last.Hash}
	case err != nil:
		a.frozen = true // a damaged anchor is for Verify to tell
	default:
		if a.frozen, err = misfit(ctx, tx, at); err != nil {
			return fmt.Errorf("hold the audit log against its anchor: %w", err)
		}
	}
	a.at = at
	a.file, err = os.OpenFile(a.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil && fresh {
		if err = a.put(); err == nil {
			err = a.file.Sync()
		}
	}
	if err != nil {
		return fault.New(fault.Invalid, "open the anchor of the audit log: %w; give the user that runs crinale the right to write there", err)
	}
	return nil
}

// misfit says whether the log has no such line.
func misfit(ctx context.Context, tx *store.Tx, at Anchor) (bool, error) {
	if at.Seq == 0 {
		return at.Hash != Start, nil
	}
	var have string
	err := tx.QueryRow(ctx, `SELECT hash FROM audit_line WHERE seq = $1`, at.Seq).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return have != at.Hash, err
}

// check holds the end of the log, as tx sees it before more is written, against
// the anchor: what was written anew behind our back must not be anchored.
func (a *anchor) check(ctx context.Context, tx *store.Tx, last Line) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	at, known := a.at, a.file != nil && !a.frozen
	a.mu.Unlock()
	if !known || last.Seq == at.Seq && last.Hash == at.Hash {
		return nil
	}
	wrong, err := misfit(ctx, tx, at)
	if err != nil || !wrong {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.frozen = true
	return nil
}

// write notes the last line, once it is on the disk. The anchor is a witness,
// not a part of the transaction: trouble with it must not undo what was done,
// and Verify tells that it lags.
func (a *anchor) write(last Line) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil || a.frozen || last.Seq == a.at.Seq {
		return
	}
	if last.Seq < a.at.Seq {
		return // another note came first
	}
	a.at = Anchor{last.Seq, last.Hash}
	_ = a.put()
}

func (a *anchor) put() error {
	b, err := json.Marshal(a.at)
	if err != nil {
		return err
	}
	_, err = a.file.WriteAt(fmt.Appendf(nil, "%-*s\n", anchorSize-1, b), 0)
	return err
}

func readAnchor(path string) (Anchor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Anchor{}, err
	}
	var at Anchor
	if err := json.Unmarshal(b, &at); err != nil || len(b) != anchorSize || at.Seq < 0 || len(at.Hash) != len(Start) {
		return Anchor{}, fault.New(fault.Invalid, "the anchor %s is damaged", path)
	}
	return at, nil
}
