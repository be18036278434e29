package sim

import (
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// SMS is a short message at the modem of a device.
type SMS struct {
	Phone string `json:"phone"`
	Text  string `json:"text"`
}

// maxInbox is how many messages a SIM keeps; what comes then is lost.
const maxInbox = 40

// modem is the memory of a SIM.
type modem struct {
	sent  []SMS
	inbox []received
	last  int
}

type received struct {
	id int
	at time.Time
	SMS
}

// smsMenu is /tool/sms (manual: Tools, Sms): its settings, and the verb send.
var smsMenu = &menu{
	path: "/tool/sms", singleton: true, table: smsTable, has: anyRow,
	props: map[string]prop{"receive-enabled": yesNo, "port": interfaceRef, "secret": text(64), "allowed-number": text(64), "keep-max-sms": whole(0, 1000)},
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, e := range d.config.table(smsTable).Rows {
			it := item{}
			for _, k := range []string{"receive-enabled", "port", "allowed-number", "keep-max-sms"} {
				it.add(k, e.get(k))
			}
			out = append(out, it)
		}
		return out
	},
	does: map[string]func(d *device, c command) *trap{"send": sendSMS},
}

// inboxMenu is /tool/sms/inbox.
var inboxMenu = &menu{
	path: "/tool/sms/inbox",
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, m := range d.modem.inbox {
			out = append(out, item{{".id", (&entry{ID: m.id}).id()}, {"phone", m.Phone}, {"timestamp", d.date(m.at) + " " + d.clock(m.at) + " GMT +0"}, {"message", m.Text}})
		}
		return out
	},
	kick: func(d *device, ref string, _ time.Time) *trap {
		for i, m := range d.modem.inbox {
			if (&entry{ID: m.id}).id() == ref {
				d.modem.inbox = append(d.modem.inbox[:i:i], d.modem.inbox[i+1:]...)
				return nil
			}
		}
		return trapItem
	},
}

// sendSMS takes what the modem can write: digits for the number, and the
// letters of ASCII, 160 of them.
func sendSMS(d *device, c command) *trap {
	for _, a := range c.attrs {
		switch a.k {
		case "port", "phone-number", "message", "channel", "smsc", "type":
		default:
			return argument("unknown parameter " + clip(a.k))
		}
	}
	port, _ := c.attr("port")
	phone, _ := c.attr("phone-number")
	message, _ := c.attr("message")
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	if e := d.config.table(interfaceTable).find(port); e == nil || e.get("type") != "lte" {
		return noMatch("port")
	}
	if phone == "" || strings.Trim(phone, "+0123456789*#abc") != "" {
		return argument("invalid value for argument phone-number")
	}
	for _, r := range message {
		if r < ' ' || r > '~' {
			return argument("invalid value for argument message")
		}
	}
	if message == "" || len(message) > 160 {
		return argument("value of message is too long (at most 160)")
	}
	d.modem.sent = append(d.modem.sent, SMS{phone, message})
	return nil
}

// SentSMS are the messages that a device has sent.
func (f *Fleet) SentSMS(id network.DeviceID) []SMS {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.byID[id]; d != nil {
		return append([]SMS(nil), d.modem.sent...)
	}
	return nil
}

// InboxSMS are the messages that wait at a device.
func (f *Fleet) InboxSMS(id network.DeviceID) []SMS {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []SMS
	if d := f.byID[id]; d != nil {
		for _, m := range d.modem.inbox {
			out = append(out, m.SMS)
		}
	}
	return out
}

// ReceiveSMS brings a message to a device, as the mobile network would. One
// that does not listen, or whose SIM is full, refuses it.
func (f *Fleet) ReceiveSMS(id network.DeviceID, m SMS) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.byID[id]
	if d == nil {
		return fault.New(fault.NotFound, "no device %s", id)
	}
	t := d.config.table(smsTable)
	if len(t.Rows) == 0 || t.Rows[0].get("receive-enabled") != "true" {
		return fault.New(fault.Refused, "%s does not take short messages: /tool/sms/set receive-enabled=yes", id)
	}
	if len(d.modem.inbox) >= maxInbox {
		return fault.New(fault.Refused, "the SIM of %s is full", id)
	}
	d.modem.last++
	d.modem.inbox = append(d.modem.inbox, received{d.modem.last, time.Now(), m})
	return nil
}
