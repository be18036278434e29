package page

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
)

// changeRow is a change as pages show it.
type changeRow struct {
	ID, URL            string
	State, Tone, Cause string // words
	Says               string // the state in a sentence
	Who                string
	Created            time.Time
	EndedAt            time.Time
	Ended              bool
	Hold               string
	Manual             bool
	Of, OfURL          string
	Repair             int    // the n-th try to have all devices on one side; 0: no such change
	After              string // clock before which it does not begin
	Others             []string
	Outcome            string
	Until              string // clock, "" when no device will go back by itself
	ConfirmBy          string // clock, "" when it does not wait for anybody
	Left               int    // seconds until the first of the two
	LeftText           string
	CanConfirm         bool
	CanUndo            bool // it is under way
	CanRevert          bool // it was confirmed
	Names              []string
	Devices            []changeDevice
	Links              []linkRef
	Events             []eventRow
}

// changeDevice is one device's part in a change.
type changeDevice struct {
	Device, Place string
	Step, Tone    string
	Hops          int
	Table         settingTable
	Script        string // of the way back
	Error         string
}

// settingTable is settings side by side, with its headings.
type settingTable struct {
	Caption, Before, After string
	Kinds                  bool // the rows say who moved
	Rows                   []settingRow
}

// settingRow is one setting that is to become another.
type settingRow struct {
	Setting, Have, Want string
	Kind, Tone          string // of a difference
}

type eventRow struct {
	Clock, Device, Step, Text string
}

// tones are how states and steps look: up, degraded, down, unknown, as those
// of links.
var tones = map[controller.ChangeState]string{
	controller.ChangeConfirmed: "up", controller.ChangeWaiting: "degraded", controller.ChangeUndoing: "degraded",
	controller.ChangeUndone: "unknown", controller.ChangeFellBack: "degraded", controller.ChangeFailed: "down",
}

var stepTones = map[controller.DeviceStep]string{
	controller.StepConfirmed: "up", controller.StepFellBack: "degraded", controller.StepReturning: "degraded",
	controller.StepLost: "down", controller.StepFailed: "down",
}

func tone[K comparable](m map[K]string, k K) string {
	if s, ok := m[k]; ok {
		return s
	}
	return "unknown"
}

func (t tongue) changeRow(rec controller.ChangeRecord) changeRow {
	row := changeRow{
		ID: rec.ID, URL: changePath(rec.ID), State: t.coded("change.state.", string(rec.State)), Says: t.coded("change.says.", string(rec.State)),
		Tone: tone(tones, rec.State), Cause: t.coded("change.cause.", string(rec.Cause)), Who: rec.Who,
		Created: rec.Created, Ended: rec.State.Ended(), Manual: rec.Manual, Outcome: rec.Outcome, Of: rec.Of,
		Hold:       t.html.Span(t.lang, time.Duration(rec.HoldS*float64(time.Second))),
		CanConfirm: rec.State == controller.ChangeWaiting,
		CanRevert:  rec.State == controller.ChangeConfirmed,
	}
	if rec.Ended != nil {
		row.EndedAt = *rec.Ended
	}
	if rec.Of != "" {
		row.OfURL = changePath(rec.Of)
	}
	switch rec.State {
	case controller.ChangeConfirming, controller.ChangeUndoing:
	default:
		row.CanUndo = !row.Ended
	}
	if rec.Until != nil && !row.Ended {
		first := *rec.Until
		row.Until = first.In(t.shell.Location()).Format("15:04:05")
		if by, ok := rec.ConfirmBy(); ok && row.CanConfirm {
			first, row.ConfirmBy = by, by.In(t.shell.Location()).Format("15:04:05")
		}
		row.Left = int(math.Ceil(max(0, first.Sub(t.shell.Now())).Seconds()))
		row.LeftText = leftText(row.Left)
	}
	row.Repair = rec.Repair
	if rec.After != nil && !row.Ended {
		row.After = rec.After.In(t.shell.Location()).Format("15:04:05")
	}
	for _, d := range rec.Others {
		row.Others = append(row.Others, string(d.Device))
	}
	if rec.State == controller.ChangeFailed && !slices.ContainsFunc(rec.Devices, func(d controller.ChangeDevice) bool {
		return d.State != controller.StepUntouched
	}) {
		row.Says, row.Tone = t.word("change.says.nothing"), "unknown"
	}
	for _, d := range rec.Devices {
		row.Names = append(row.Names, string(d.Device))
		dev := changeDevice{
			Device: string(d.Device), Place: t.place(d.Device), Step: t.coded("change.step.", string(d.State)), Tone: tone(stepTones, d.State), Hops: d.Hops, Error: d.Error,
			Table: settingTable{Caption: t.word("setting.caption", d.Device), Before: t.word("setting.before"), After: t.word("setting.after")},
		}
		for _, c := range d.Changes {
			dev.Table.Rows = append(dev.Table.Rows, settingRow{Setting: t.setting(c.Key), Have: t.value(c.Key, c.From), Want: t.value(c.Key, c.To)})
		}
		if d.WayBack != nil {
			dev.Script = d.WayBack.Script
		}
		row.Devices = append(row.Devices, dev)
	}
	for _, l := range rec.Links {
		if known, ok := t.net.Link(l.Link); ok {
			row.Links = append(row.Links, linkRef{nameOf(known), linkPath(known.ID)})
		}
	}
	for _, e := range rec.Events {
		row.Events = append(row.Events, eventRow{e.At.In(t.shell.Location()).Format("15:04:05"), string(e.Device), e.Step, e.Text})
	}
	return row
}

// coded are the words of a code; one that has none, of a later version, stands
// for itself.
func (t tongue) coded(prefix, code string) string {
	if s := t.word(prefix + code); s != prefix+code {
		return s
	}
	return code
}

// leftText is minutes and seconds, as the countdown writes them.
func leftText(s int) string {
	sec := strconv.Itoa(s % 60)
	if len(sec) < 2 {
		sec = "0" + sec
	}
	return strconv.Itoa(s/60) + ":" + sec
}

// diffView is how devices differ from the files.
type diffView struct {
	At      time.Time
	Stale   bool // something was changed since
	Digest  string
	Devices []diffDevice // those that differ
	Same    int          // devices that do not
	Drifted int          // devices that were changed by hand or by a reset
	Unread  []unreadRow
}

type diffDevice struct {
	Device, Place string
	Table         settingTable
}

type unreadRow struct{ Device, Place, Kind, Reason string }

// kindTones are how kinds of difference look.
var kindTones = map[controller.DifferenceKind]string{
	controller.FilesMoved: "unknown", controller.DeviceMoved: "degraded", controller.BothMoved: "degraded",
}

func (t tongue) diffView(d controller.Differences) *diffView {
	v := &diffView{At: d.At, Digest: d.Digest}
	for _, dev := range d.Devices {
		if len(dev.Differences) == 0 {
			v.Same++
			continue
		}
		out := diffDevice{Device: string(dev.Device), Place: t.place(dev.Device), Table: settingTable{
			Caption: t.word("setting.caption", dev.Device), Before: t.word("setting.now"), After: t.word("setting.files"), Kinds: true,
		}}
		drifted := false
		for _, x := range dev.Differences {
			drifted = drifted || x.Kind == controller.DeviceMoved || x.Kind == controller.BothMoved
			out.Table.Rows = append(out.Table.Rows, settingRow{
				Setting: t.setting(x.Key), Have: t.value(x.Key, x.Have), Want: t.value(x.Key, x.Want), Kind: t.coded("diff.kind.", string(x.Kind)), Tone: tone(kindTones, x.Kind),
			})
		}
		if drifted {
			v.Drifted++
		}
		v.Devices = append(v.Devices, out)
	}
	for _, u := range d.Unread {
		v.Unread = append(v.Unread, unreadRow{string(u.Device), t.place(u.Device), u.Kind, u.Reason})
	}
	return v
}

// setting names a key: "Frequenza di wlan1".
func (t tongue) setting(k network.Key) string {
	what := t.coded("setting."+string(k.Section)+".", k.Field)
	if k.Name == "" {
		return what
	}
	return t.word("setting.of", what, plainText(k.Name))
}

// units of the fields that have one.
var fieldUnits = map[string]string{network.FieldFreq: "MHz", network.FieldWidth: "MHz", network.FieldTxPower: "dBm"}

// value is a setting's value with its unit.
func (t tongue) value(k network.Key, v *string) string {
	switch {
	case v == nil:
		return t.word("setting.unset")
	case *v == "":
		return t.word("setting.empty")
	}
	if u := fieldUnits[k.Field]; u != "" {
		return plainText(*v) + "\u00a0" + u
	}
	return plainText(*v)
}

// plainText shows bytes that are no printable text, as a device may keep them,
// in the manner of Go: "a\x00b".
func plainText(s string) string {
	odd := func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, odd) && strings.TrimSpace(s) == s {
		return s
	}
	return strconv.Quote(s)
}

type holdChoice struct {
	Seconds int
	Text    string
	Usual   bool
}

func (t tongue) holdChoices() []holdChoice {
	var out []holdChoice
	for _, s := range holds {
		out = append(out, holdChoice{s, t.html.Span(t.lang, time.Duration(s)*time.Second), s == usualHold})
	}
	return out
}

// joined are the links of the devices that differ: they may stop for a moment.
func (t tongue) joined(d controller.Differences) []linkRef {
	var ids []network.DeviceID
	for _, dev := range d.Devices {
		if len(dev.Differences) > 0 {
			ids = append(ids, dev.Device)
		}
	}
	var out []linkRef
	for _, l := range t.net.Links {
		if slices.Contains(ids, l.A) || slices.Contains(ids, l.B) {
			out = append(out, linkRef{nameOf(l), linkPath(l.ID)})
		}
	}
	return out
}
