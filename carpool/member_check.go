package carpool

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
)

// checkMember is a member as it is kept, from what was typed.
func checkMember(m Member) (Member, error) {
	var err error
	if m.First, err = cleanName("first name", m.First, maxName, true); err != nil {
		return m, err
	}
	if m.Last, err = cleanName("surname", m.Last, maxName, true); err != nil {
		return m, err
	}
	if m.Phone != "" {
		if m.Phone, err = contact.Phone(m.Phone); err != nil {
			return m, err
		}
	}
	switch {
	case m.Phone == "":
		m.Landline, m.Family = false, false
	case strings.HasPrefix(m.Phone, "+390"):
		m.Landline = true
	case strings.HasPrefix(m.Phone, "+393"):
		m.Landline = false
	}
	if m.Email, err = contact.Mail(m.Email); err != nil {
		return m, err
	}
	if m.Phone == "" && m.Email == "" && !m.Minor {
		return m, fault.New(fault.Invalid, "phone: write a phone number or an e-mail address, so that you can be told of your rides")
	}
	if m.Fiscal, err = fiscalCode(m.Fiscal); err != nil {
		return m, err
	}
	if len(m.Comune) != 6 || strings.Trim(m.Comune, "0123456789") != "" {
		return m, fault.New(fault.Invalid, "comune: choose one of the list")
	}
	if m.Minor == (m.Guardian == "") {
		return m, fault.New(fault.Invalid, "guardian: a minor needs one, an adult has none")
	}
	if m.Needs.ChildSeats < 0 || m.Needs.ChildSeats > 4 {
		return m, fault.New(fault.Invalid, "child seats: 0 to 4")
	}
	if m.Trusted.Name, err = cleanName("name of the trusted person", m.Trusted.Name, maxName, m.Trusted.Phone != ""); err != nil {
		return m, err
	}
	if m.Trusted.Phone != "" {
		if m.Trusted.Phone, err = contact.Phone(m.Trusted.Phone); err != nil {
			return m, err
		}
	} else if m.Trusted.Name != "" {
		return m, fault.New(fault.Invalid, "phone of the trusted person: write it, or leave the name out too")
	}
	if m.Lang == "" {
		m.Lang = "it"
	}
	if m.Lang != "it" && m.Lang != "en" {
		return m, fault.New(fault.Invalid, "language: it or en")
	}
	return checkChannels(m)
}

// checkChannels keeps the order in which somebody wishes to be reached; none
// given: what they have, the quickest to be read first.
func checkChannels(m Member) (Member, error) {
	can := map[Channel]bool{ByMail: m.Email != "", BySMS: m.Phone != "" && !m.Landline, ByVoice: m.Phone != "", ByIO: m.Fiscal != ""}
	for i, c := range m.Channels {
		able, known := can[c]
		if !known {
			return m, fault.New(fault.Invalid, "channels: mail, sms, voce or io")
		}
		if !able {
			return m, fault.New(fault.Invalid, "channels: %s cannot reach you with what you have given; add what it needs, or leave it out", c)
		}
		if slices.Contains(m.Channels[:i], c) {
			return m, fault.New(fault.Invalid, "channels: %s stands there twice", c)
		}
	}
	if len(m.Channels) == 0 {
		for _, c := range []Channel{BySMS, ByMail, ByVoice} {
			if can[c] && (c != ByVoice || len(m.Channels) == 0) {
				m.Channels = append(m.Channels, c)
			}
		}
	}
	return m, nil
}

var fiscalForm = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)

// odd values of a fiscal code's signs at odd places, 0–9 as A–J (DM
// 23 December 1976, annex).
var fiscalOdd = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// fiscalCode is a codice fiscale with the right last letter; "" stays "".
func fiscalCode(s string) (string, error) {
	if s = strings.ToUpper(strings.Join(strings.Fields(s), "")); s == "" {
		return "", nil
	}
	bad := fault.New(fault.Invalid, "fiscal code: sixteen letters and numbers, as on the health card; look again")
	if !fiscalForm.MatchString(s) {
		return "", bad
	}
	sum := 0
	for i := range 15 {
		v := int(s[i] - 'A')
		if s[i] <= '9' {
			v = int(s[i] - '0')
		}
		if i%2 == 0 {
			v = fiscalOdd[v]
		}
		sum += v
	}
	if s[15] != byte('A'+sum%26) {
		return "", bad
	}
	return s, nil
}
