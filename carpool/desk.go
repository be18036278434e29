package carpool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const (
	findLeast = 3   // signs
	findMost  = 10  // people
	findHour  = 120 // people that one operator may find in an hour
)

// Find looks for a member by name or number, for the desk: three signs or more,
// ten people at most. Of somebody who has not agreed that the desk acts for
// them it tells the name and comune alone, so that they can be asked. Only people
// of comuni that in allows are looked through. It is audited, and each person
// found sees who looked.
func (p *Members) Find(ctx context.Context, by By, words string, in func(comune string) bool) ([]Member, error) {
	if err := mayDesk(by); err != nil {
		return nil, err
	}
	want := strings.Fields(folded(words))
	if len([]rune(strings.Join(want, ""))) < findLeast || len(words) > 4*maxName {
		return nil, fault.New(fault.Invalid, "find: write at least %d letters of the name, or digits of the phone", findLeast)
	}
	var out []Member
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		var err error
		if out, err = p.find(ctx, tx, by, want, in); err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.member.find", Detail: map[string]string{"found": fmt.Sprint(len(out))}})
	})
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	return out, nil
}

func (p *Members) find(ctx context.Context, tx *store.Tx, by By, want []string, in func(string) bool) ([]Member, error) {
	var seen int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_looks WHERE who = $1 AND what = $2 AND at_ms > $3`,
		by.Account, string(LookFind), store.Millis(tx.Now.Add(-time.Hour))).Scan(&seen); err != nil {
		return nil, err
	}
	if seen >= findHour {
		return nil, fault.New(fault.Denied, "find: you have looked at many people in this hour; wait, or ask a colleague")
	}
	rows, err := tx.Query(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE state <> $1 ORDER BY last, first, id`, string(Gone))
	if err != nil {
		return nil, err
	}
	everyone, err := all(rows, scanMember)
	if err != nil {
		return nil, err
	}
	out := []Member{}
	for _, m := range everyone {
		if len(out) == findMost || !in(m.Comune) || !m.named(want) {
			continue
		}
		_, ok, err := consentIn(ctx, tx, m.ID, ConsentDesk)
		if err != nil {
			return nil, err
		}
		// A piece of the number of somebody who has not agreed would be read out by
		// asking for one digit more each time.
		if number, is := asNumber(want); is && !ok && number != m.Phone && "+39"+number != m.Phone && "+"+number != m.Phone {
			continue
		}
		if err := lookIn(ctx, tx, m.ID, by.Account, LookFind, ""); err != nil {
			return nil, err
		}
		if !ok {
			m = m.slight()
		}
		out = append(out, m)
	}
	return out, nil
}

// named says whether all words stand in a name, or all together in the number.
// asNumber is the number that somebody asks for, without its sign in front; false
// for words.
func asNumber(want []string) (string, bool) {
	number := strings.TrimPrefix(strings.Join(want, ""), "+")
	return strings.TrimPrefix(number, "00"), digits(number)
}

func (m Member) named(want []string) bool {
	if number, ok := asNumber(want); ok {
		return m.Phone != "" && strings.Contains(m.Phone, number)
	}
	have := folded(m.First + " " + m.Last)
	return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(have, w) })
}

var unaccented = strings.NewReplacer("à", "a", "á", "a", "â", "a", "ä", "a", "è", "e", "é", "e", "ê", "e", "ë", "e", "ì", "i", "í", "i", "î", "i", "ï", "i",
	"ò", "o", "ó", "o", "ô", "o", "ö", "o", "ù", "u", "ú", "u", "û", "u", "ü", "u", "ç", "c", "ñ", "n", "'", "", "’", "", "-", " ")

// folded is a text as it is compared: small letters without accents.
func folded(s string) string {
	return unaccented.Replace(strings.Map(unicode.ToLower, strings.ToValidUTF8(s, "")))
}
