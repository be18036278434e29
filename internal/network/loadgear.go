package network

import (
	"cmp"
	"io/fs"
	"path"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
)

// gearFile is one gear sheet. Rates come in sets that share source,
// confidence, streams and, unless a row says otherwise, the greatest power.
type gearFile struct {
	At      strict.At
	ID      GearID     `yaml:"id,required"`
	Vendor  string     `yaml:"vendor"`
	Product string     `yaml:"product,required"`
	Class   string     `yaml:"class,required"`
	Bands   []bandRow  `yaml:"bands"`
	Antenna antennaRow `yaml:"antenna"`
	Rates   []rateSet  `yaml:"rates"`
}

type bandRow struct {
	At   strict.At
	From unit.MHz `yaml:"from_mhz,required"`
	To   unit.MHz `yaml:"to_mhz,required"`
}

type antennaRow struct {
	At          strict.At
	Gain        unit.DB      `yaml:"gain_dbi"`
	BeamwidthAz unit.Degrees `yaml:"beamwidth_az_deg"`
	BeamwidthEl unit.Degrees `yaml:"beamwidth_el_deg"`
	Pattern     string       `yaml:"pattern"`
	Source      string       `yaml:"source"`
	Confidence  Confidence   `yaml:"confidence"`
}

type rateSet struct {
	At         strict.At
	Source     string             `yaml:"source,required"`
	Confidence Confidence         `yaml:"confidence,required"`
	Streams    int                `yaml:"streams,required"`
	MaxTx      unit.Opt[unit.DBm] `yaml:"max_tx_dbm"`
	Rows       []rateRow          `yaml:"rows,required"`
}

type rateRow struct {
	At          strict.At
	MCS         int                `yaml:"mcs,required"`
	Width       unit.MHz           `yaml:"width_mhz,required"`
	PHY         unit.Mbps          `yaml:"phy_mbps,required"`
	Sensitivity unit.DBm           `yaml:"sensitivity_dbm,required"`
	MaxTx       unit.Opt[unit.DBm] `yaml:"max_tx_dbm"`
}

var confidences = []Confidence{Vendor, ThirdParty, StandardMinimum, UnknownGear}

// Classes of gear: the drivers of a radio, or a router without one.
var classes = []string{"wireless", "wifi", "w60g", "router"}

// readGear adds the sheets of a folder that are not there yet.
func (l *loader) readGear(fsys fs.FS, dir string) error {
	names, err := l.yamlFiles(fsys, dir)
	if err != nil {
		return err
	}
	here := map[GearID]strict.At{}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fault.New(fault.Invalid, "read %s: %w", name, err)
		}
		var f gearFile
		if err := strict.Decode(name, data, &f); err != nil {
			l.list.Join(name, err)
			if f.ID == "" {
				continue
			}
		} else if f.At.File == "" {
			l.list.Add(strict.Problem{File: name, Line: 1, Text: "this gear sheet is empty: fill it or remove it"})
			continue
		} else {
			l.checkGear(f, fsys, dir)
		}
		if first, twice := here[f.ID]; twice {
			l.bad(f.At, "id", "gear %q is described twice, first at %v: rename or remove one", f.ID, first)
			continue
		}
		here[f.ID] = f.At
		if _, earlier := l.net.Gear[f.ID]; !earlier {
			l.net.Gear[f.ID] = f.gear()
		}
	}
	return nil
}

func (f gearFile) gear() Gear {
	g := Gear{ID: f.ID, Vendor: f.Vendor, Product: f.Product, Class: f.Class}
	a := f.Antenna
	g.Antenna = Antenna{a.Gain, a.BeamwidthAz, a.BeamwidthEl, a.Pattern, a.Source, a.Confidence}
	for _, b := range f.Bands {
		g.Bands = append(g.Bands, Band{b.From, b.To})
	}
	for _, s := range f.Rates {
		for _, r := range s.Rows {
			tx := r.MaxTx
			if !tx.Known() {
				tx = s.MaxTx
			}
			g.Rates = append(g.Rates, Rate{r.MCS, s.Streams, r.Width, r.PHY, r.Sensitivity, tx, s.Source, s.Confidence})
		}
	}
	slices.SortStableFunc(g.Rates, func(a, b Rate) int {
		return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Sensitivity, b.Sensitivity), cmp.Compare(a.PHY, b.PHY))
	})
	return g
}

func (l *loader) checkGear(f gearFile, fsys fs.FS, dir string) {
	l.name(f.At, "gear sheet", string(f.ID))
	oneOf(l, f.At, "class", f.Class, classes...)
	for _, b := range f.Bands {
		if b.From <= 0 || b.To <= b.From || b.To > 300_000 {
			l.bad(b.At, "", "a band goes up from a frequency above 0 to at most 300000 MHz, not from %v to %v", b.From, b.To)
		}
	}
	if f.Class == "router" {
		return
	}
	if len(f.Bands) == 0 {
		l.bad(f.At, "bands", "a radio needs at least one band, such as {from_mhz: 5470, to_mhz: 5725}")
	}
	if len(f.Rates) == 0 {
		l.bad(f.At, "rates", "a radio needs rates with their sensitivity; where they are not known write those of the standard with confidence: standard-minimum")
	}
	l.checkAntenna(f, fsys, dir)
	type key struct {
		mcs, streams int
		width        unit.MHz
	}
	seen := map[key]strict.At{}
	for _, s := range f.Rates {
		oneOf(l, s.At, "confidence", s.Confidence, confidences...)
		l.between(s.At, "streams", float64(s.Streams), 1, 8)
		l.power(s.At, "max_tx_dbm", s.MaxTx)
		for _, r := range s.Rows {
			l.between(r.At, "mcs", float64(r.MCS), 0, 31)
			l.between(r.At, "width_mhz", float64(r.Width), 1, 10_000)
			l.between(r.At, "phy_mbps", float64(r.PHY), 0.1, 100_000)
			l.between(r.At, "sensitivity_dbm", float64(r.Sensitivity), -130, -20)
			l.power(r.At, "max_tx_dbm", r.MaxTx)
			k := key{r.MCS, s.Streams, r.Width}
			if first, twice := seen[k]; twice {
				l.bad(r.At, "", "MCS %d at %v with %d streams is given twice, first at %v: remove one", r.MCS, r.Width, s.Streams, first)
			}
			seen[k] = r.At
		}
	}
}

func (l *loader) checkAntenna(f gearFile, fsys fs.FS, dir string) {
	a := f.Antenna
	for _, key := range []string{"gain_dbi", "beamwidth_az_deg", "beamwidth_el_deg", "source", "confidence"} {
		if !a.At.Has(key) {
			at := a.At
			if !f.At.Has("antenna") {
				at = f.At
				at.Path = "antenna"
			}
			l.bad(at, key, "missing: add the key %s to the antenna", key)
			return
		}
	}
	l.between(a.At, "gain_dbi", float64(a.Gain), -10, 60)
	l.between(a.At, "beamwidth_az_deg", float64(a.BeamwidthAz), 0.1, 360)
	l.between(a.At, "beamwidth_el_deg", float64(a.BeamwidthEl), 0.1, 360)
	oneOf(l, a.At, "confidence", a.Confidence, confidences...)
	if a.Pattern != "" {
		if _, err := fs.Stat(fsys, path.Join(dir, a.Pattern)); err != nil {
			l.bad(a.At, "pattern", "the pattern file %q is not beside the sheet: put it there or remove the key", a.Pattern)
		}
	}
}

// LoadGear reads gear sheets alone, from the folder gear of fsys or, where it
// has none, from its root. Problems are told as Load does.
func LoadGear(fsys fs.FS) (map[GearID]Gear, error) {
	l := &loader{net: &Network{Gear: map[GearID]Gear{}}}
	if err := l.readGear(fsys, gearFolder(fsys)); err != nil {
		return nil, err
	}
	return l.net.Gear, l.list.Err()
}

func gearFolder(fsys fs.FS) string {
	if fi, err := fs.Stat(fsys, "gear"); err == nil && fi.IsDir() {
		return "gear"
	}
	return "."
}
