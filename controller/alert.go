package controller

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// Kind is what an alert is about.
type Kind string

const (
	LinkDown             Kind = "link-down"
	WeakSignal           Kind = "weak-signal"
	LowCapacity          Kind = "low-capacity"
	EthernetRenegotiated Kind = "ethernet-renegotiated"
	DeviceRebooted       Kind = "device-rebooted"
	DeviceUnreachable    Kind = "device-unreachable"
)

// Severity is how much an alert matters.
type Severity string

const (
	Critical Severity = "critical" // service is lost
	Warning  Severity = "warning"  // service is worse than promised, or will be
	Notice   Severity = "notice"   // good to know
)

// severities of each kind, where the judge names no other.
var severities = map[Kind]Severity{
	LinkDown: Critical, DeviceUnreachable: Critical,
	WeakSignal: Warning, LowCapacity: Warning, EthernetRenegotiated: Warning,
	DeviceRebooted: Notice,
}

// Alert is one thing that is wrong, from when it was seen until it is well
// again. Its figures and texts are those of its opening.
type Alert struct {
	ID       string              `json:"id"` // [a-z0-9-], one for each opening
	Kind     Kind                `json:"kind"`
	Severity Severity            `json:"severity"`
	Link     network.LinkID      `json:"link,omitempty"`
	End      network.End         `json:"end,omitempty"`    // of the link, where one end is meant
	Device   network.DeviceID    `json:"device,omitempty"` // the device it was seen at
	Port     string              `json:"port,omitempty"`   // of the device, where one is meant
	Partners []network.PartnerID `json:"partners"`         // who is concerned; never nil in JSON
	Opened   time.Time           `json:"opened"`
	Closed   *time.Time          `json:"closed"` // null while open
	Measured Figure              `json:"measured"`
	Expected Figure              `json:"expected"`
	Seen     Text                `json:"seen"` // what was seen
	ToDo     Text                `json:"to_do"`
}

// IsOpen says whether the trouble is still there.
func (a Alert) IsOpen() bool { return a.Closed == nil }

// Text is a sentence or two for people, in both languages.
type Text struct {
	IT string `json:"it"`
	EN string `json:"en"`
}

// Figure is a quantity whose key carries its unit, as signal_dbm. In JSON it
// is {"signal_dbm": -84.5}, and null when there is none.
type Figure struct {
	Key   string
	Value float64
}

// MarshalJSON writes an object of one key, or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.Key == "" {
		return []byte("null"), nil
	}
	return json.Marshal(map[string]float64{f.Key: f.Value})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (f *Figure) UnmarshalJSON(b []byte) error {
	var m map[string]float64
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if len(m) > 1 {
		return fmt.Errorf("a figure of %d keys: want one", len(m))
	}
	*f = Figure{}
	for k, v := range m {
		*f = Figure{k, v}
	}
	return nil
}

// Change is what happened to an alert.
type Change string

const (
	Opened Change = "opened"
	Closed Change = "closed"
)

// AlertEvent is an alert that opened or closed.
type AlertEvent struct {
	Change Change `json:"change"`
	Alert  Alert  `json:"alert"`
}

// alertID is unique for each opening: kind, subject, second.
func alertID(a Alert) string {
	subject := string(a.Link)
	if a.Link == "" {
		subject = string(a.Device)
		if a.Port != "" {
			subject += "-" + slug(a.Port)
		}
	}
	return string(a.Kind) + "-" + subject + "-" + a.Opened.UTC().Format("20060102t150405z")
}

// slug keeps what may stand in a name.
func slug(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s) && len(out) < 32; i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			out = append(out, c)
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, '-')
		}
	}
	return string(out)
}
