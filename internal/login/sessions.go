package login

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/gob"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Keys of a session's values that the store reads, all texts: whose session it
// is, "" or absent before sign-in; the address it was begun from; and the
// browser. The rest of the values is the pages' own.
const (
	SessionPerson = "person"
	SessionFrom   = "from"
	SessionAgent  = "agent"
)

// Session of somebody who is signed in, as pages show it.
type Session struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // to about a minute
	Until   time.Time `json:"until"`
	From    string    `json:"from"`
	Agent   string    `json:"agent"`
}

const (
	sessionID  = 16          // letters of the hash that name a session; of no use to sign in
	seenEvery  = time.Minute // a session that only goes on is written so often at most
	sweepEvery = 10 * time.Minute
)

// endSessions ends sessions, by what follows it. They stay as empty rows until
// they expire: a request under way would bring them back otherwise.
const endSessions = `UPDATE login_session SET ended = 1, data = '', source = '', agent = ''`

// SessionID names the session of a token, as SessionsOf does.
func SessionID(token string) string { return digest(token)[:sessionID] }

// FindCtx gives the data of a session that is neither ended nor expired. With
// CommitCtx and DeleteCtx it makes People a store of scs; tokens are stored
// hashed.
func (p *People) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := p.db.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT data FROM login_session WHERE hash = $1 AND ended = 0 AND expiry > $2`, digest(token), store.Millis(p.now())).Scan(&data)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, about("read", "session", err)
}

// CommitCtx keeps a session. One that was ended stays ended. When nothing but
// its expiry changes it is written once a minute at most.
func (p *People) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	values, err := decodeSession(b)
	if err != nil {
		return about("keep", "session", err)
	}
	hash, now := digest(token), p.now()
	same, err := p.same(ctx, hash, values, now)
	if err != nil || same {
		return about("read", "session", err)
	}
	sweep := false
	if last := p.swept.Load(); now.UnixMilli()-last >= sweepEvery.Milliseconds() {
		sweep = p.swept.CompareAndSwap(last, now.UnixMilli())
	}
	err = p.db.Do(ctx, func(tx *store.Tx) error {
		if sweep {
			for _, q := range []string{`DELETE FROM login_session WHERE expiry <= $1`, `DELETE FROM login_known WHERE until <= $1`, `DELETE FROM login_invite WHERE until <= $1`} {
				if _, err := tx.Exec(ctx, q, store.Millis(now)); err != nil {
					return err
				}
			}
			if err := p.sweepJoins(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO login_session (hash, person, created, seen, expiry, source, agent, data, ended) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, 0)
			ON CONFLICT (hash) DO UPDATE SET person = excluded.person, seen = excluded.seen, expiry = excluded.expiry,
				source = excluded.source, agent = excluded.agent, data = excluded.data
			WHERE login_session.ended = 0`,
			hash, values.text(SessionPerson), store.Millis(now), store.Millis(expiry), values.text(SessionFrom), values.text(SessionAgent), b)
		return err
	})
	return about("keep", "session", err)
}

// same says that the session is there already with these values, seen lately.
func (p *People) same(ctx context.Context, hash string, values sessionValues, now time.Time) (bool, error) {
	var data []byte
	var seen, ended int64
	err := p.db.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT data, seen, ended FROM login_session WHERE hash = $1`, hash).Scan(&data, &seen, &ended)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case ended != 0:
		return true, nil
	case now.Sub(store.Time(seen)) >= seenEvery:
		return false, nil
	}
	have, err := decodeSession(data)
	return err == nil && reflect.DeepEqual(have, values), nil
}

// DeleteCtx ends a session; there need not be one.
func (p *People) DeleteCtx(ctx context.Context, token string) error {
	err := p.db.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, endSessions+` WHERE hash = $1`, digest(token))
		return err
	})
	return about("end", "session", err)
}

// Find is FindCtx without a context, which scs asks for but does not use.
func (p *People) Find(token string) ([]byte, bool, error) {
	return p.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (p *People) Commit(token string, b []byte, expiry time.Time) error {
	return p.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (p *People) Delete(token string) error { return p.DeleteCtx(context.Background(), token) }

// SessionsOf lists the sessions of a person, the last seen first.
func (p *People) SessionsOf(ctx context.Context, person string) ([]Session, error) {
	var out []Session
	err := p.db.View(ctx, func(tx *store.Tx) error {
		out = []Session{}
		if person == "" {
			return nil // those before sign-in are nobody's
		}
		rows, err := tx.Query(ctx, `SELECT hash, created, seen, expiry, source, agent FROM login_session
			WHERE person = $1 AND ended = 0 AND expiry > $2 ORDER BY seen DESC, hash`, sent(person), store.Millis(p.now()))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s Session
			var hash string
			var created, seen, until int64
			if err := rows.Scan(&hash, &created, &seen, &until, &s.From, &s.Agent); err != nil {
				return err
			}
			s.ID, s.Created, s.Seen, s.Until = hash[:sessionID], store.Time(created), store.Time(seen), store.Time(until)
			out = append(out, s)
		}
		return rows.Err()
	})
	return out, about("list the sessions of", person, err)
}

// RevokeSession ends one session of a person. NotFound when there is none.
func (p *People) RevokeSession(ctx context.Context, person, id string) error {
	err := p.do(ctx, "session.revoke", person, map[string]string{"session": id}, func(tx *store.Tx) error {
		if len(id) != sessionID || strings.Trim(id, "0123456789abcdef") != "" {
			return fault.New(fault.NotFound, "there is no such session")
		}
		n, err := endThose(ctx, tx, ` WHERE person = $1 AND ended = 0 AND substr(hash, 1, 16) = $2`, sent(person), id)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "there is no such session")
		}
		return err
	})
	return about("end a session of", person, err)
}

// RevokeSessions ends all sessions of a person.
func (p *People) RevokeSessions(ctx context.Context, person string) error {
	err := p.do(ctx, "session.revoke-all", person, nil, func(tx *store.Tx) error {
		if _, err := p.row(ctx, tx, person); err != nil {
			return err
		}
		_, err := endThose(ctx, tx, ` WHERE person = $1 AND ended = 0`, sent(person))
		return err
	})
	return about("end the sessions of", person, err)
}

func endThose(ctx context.Context, tx *store.Tx, where string, args ...any) (int64, error) {
	res, err := tx.Exec(ctx, endSessions+where, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// note writes to the log within a transaction of its own making.
func (p *People) note(ctx context.Context, tx *store.Tx, action, object string, detail map[string]string) error {
	return p.audit.Add(ctx, tx, audit.Entry{Action: action, Object: object, Detail: detail})
}

// sessionValues are the values that scs keeps in a session by its gob codec.
type sessionValues map[string]any

func (v sessionValues) text(key string) string {
	s, _ := v[key].(string)
	return sent(s)
}

func decodeSession(b []byte) (sessionValues, error) {
	var aux struct {
		Deadline time.Time
		Values   map[string]any
	}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&aux); err != nil {
		return nil, fault.New(fault.Internal, "its data is not as scs writes it: %w", err)
	}
	return aux.Values, nil
}
