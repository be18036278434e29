package network

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What is printed for people fits a terminal of textWidth columns; a name
// takes at most nameWidth of them.
const (
	textWidth = 80
	nameWidth = 44
)

// WriteText prints the summary for people.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fold(&b, fmt.Sprintf(format, args...), 0, 2) }
	radios := fmt.Sprintf("%d of them radios", sum(s.Radios))
	if sum(s.Radios) == 1 {
		radios = "1 of them a radio"
	}
	line("%s, %s (%s)", number(s.Sites, "site"), number(sum(s.Seats), "seat"), counts(s.Seats))
	line("%s, %s (%s)", number(s.Devices, "device"), radios, counts(s.Radios))
	line("%s (%s), %s, %s", number(sum(s.Links), "link"), counts(s.Links), number(s.Sectors, "sector"), number(s.Gear, "gear sheet"))
	for _, p := range s.Partners {
		line("partner %s: %s, %d of them shared", p.ID, number(p.Links, "link"), p.Shared)
	}
	for _, n := range s.Notes {
		line("note: %s", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// number is a count with its word: "1 link", "2 links".
func number(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func counts[K ~string](m map[K]int) string {
	if len(m) == 0 {
		return "none"
	}
	var ss []string
	for _, k := range sortedKeys(m) {
		ss = append(ss, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(ss, ", ")
}

// WriteText prints sites, devices, sectors and links, for `network show`: a
// line with the name and what matters most, under it the rest.
func (n *Network) WriteText(w io.Writer) error {
	var sites, devices, sectors, links []record
	for _, s := range n.Sites {
		sites = append(sites, record{string(s.ID), some(words(s.Shared)), s.text()})
	}
	for _, d := range n.Devices {
		devices = append(devices, record{string(d.ID), some(string(d.Site) + string(d.Seat)), d.text()})
	}
	for _, s := range n.Sectors {
		sectors = append(sectors, record{string(s.ID), string(s.Device), fmt.Sprintf("%s, %s MHz", s.Use, some(s.Band))})
	}
	for _, l := range n.Links {
		links = append(links, record{string(l.ID), some(words(l.Partner)), l.text()})
	}
	var b strings.Builder
	for _, t := range []struct {
		name, beside string
		records      []record
	}{{"SITE", "SHARED BY", sites}, {"DEVICE", "PLACE", devices}, {"SECTOR", "DEVICE", sectors}, {"LINK", "PARTNERS", links}} {
		if len(t.records) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		printList(&b, t.name, t.beside, t.records)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Site) text() string {
	out := s.At.String()
	if s.HeightM > 0 {
		out += fmt.Sprintf(", %v high", s.HeightM)
	}
	return out + ", power " + s.Power.text()
}

func (p Power) text() string {
	if p.Source == "" {
		return "-"
	}
	if p.BatteryHours == 0 {
		return p.Source
	}
	return fmt.Sprintf("%s, battery for %v h", p.Source, p.BatteryHours)
}

func (d Device) text() string {
	ss := []string{string(d.Gear), d.Address}
	if d.Address == "" {
		ss[1] = "no address"
	}
	if f, ok := d.Settings.Freq.Get(); ok {
		ss = append(ss, f.String())
	}
	if w, ok := d.Settings.Width.Get(); ok {
		ss = append(ss, w.String()+" wide")
	}
	if p, ok := d.Settings.TxPower.Get(); ok {
		ss = append(ss, p.String())
	}
	if d.Settings.Identity != "" {
		ss = append(ss, "named "+d.Settings.Identity)
	}
	for _, a := range d.Settings.Addresses {
		ss = append(ss, a.Address+" on "+a.Interface)
	}
	return strings.Join(ss, ", ")
}

func (l Link) text() string {
	if l.B == "" {
		return fmt.Sprintf("%s: %s", l.Medium, l.A)
	}
	return fmt.Sprintf("%s: %s – %s", l.Medium, l.A, l.B)
}

func some(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// record is one thing in a list: its name, what stands beside it, and under
// both the rest.
type record struct{ name, beside, under string }

// printList prints records under a head.
func printList(b *strings.Builder, name, beside string, rs []record) {
	col := utf8.RuneCountInString(name)
	for _, r := range rs {
		col = max(col, utf8.RuneCountInString(r.name))
	}
	col = min(col, nameWidth)
	for _, r := range append([]record{{name, beside, ""}}, rs...) {
		fmt.Fprintf(b, "%-*s  ", col, cut(r.name, col))
		fold(b, r.beside, col+2, col+2)
		if r.under != "" {
			b.WriteString("  ")
			fold(b, r.under, 2, 4)
		}
	}
}

// fold writes words from column at on, further lines from column hang. A word
// too long for a line is cut.
func fold(b *strings.Builder, s string, at, hang int) {
	longest := textWidth - max(at, hang)
	for i, word := range strings.Fields(s) {
		word = cut(word, longest)
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > textWidth:
			b.WriteString("\n" + strings.Repeat(" ", hang))
			at = hang
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}

// cut keeps n letters of a word.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
