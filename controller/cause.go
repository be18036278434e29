package controller

import (
	"regexp"
	"strings"

	"github.com/crinale/crinale/internal/network"
)

// inner are the beginnings of an error that say what the program was doing and
// at which address: good in a log, noise in a sentence for people.
var inner = regexp.MustCompile(`^(?:observe \S+: |left alone for [^:]* failures?: |(?:connect to|(?:dial|read|write) tcp\d?) [^ ]+(?:->[^ ]+)?: |connect: |TLS: |(?:[\w.-]+|\[[0-9a-fA-F:.%\w]*\]):\d+: )+`)

const longestCause = 200 // letters

// cause is why a read of d failed, for people: one short line without the
// steps and addresses that lead to it; "" for nil. The log has the whole error.
func cause(d network.DeviceID, err error) string {
	if err == nil {
		return ""
	}
	whole := strings.Join(strings.Fields(err.Error()), " ")
	s := strings.TrimPrefix(whole[len(inner.FindString(whole)):], string(d)+": ")
	if s == "" {
		s = whole
	}
	if r := []rune(s); len(r) > longestCause {
		s = string(r[:longestCause]) + "…"
	}
	return strings.TrimRight(s, ".")
}
