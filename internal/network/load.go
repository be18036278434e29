package network

import (
	"errors"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
)

// Load reads a network: every *.yaml in the root of fsys, taken together in
// the order of their names, and the gear sheets in its folder gear. Further
// file systems give more sheets, from their folder gear or, where they have
// none, from their root; a sheet of an earlier file system wins over one of
// the same name in a later one.
//
// All problems are told at once, each with file, line, field and the mend; the
// kind is fault.Invalid, and strict.All takes them apart. A network with a
// problem is not returned.
func Load(fsys fs.FS, gear ...fs.FS) (*Network, error) {
	l := &loader{net: &Network{Gear: map[GearID]Gear{}}}
	if err := l.readGear(fsys, "gear"); err != nil {
		return nil, err
	}
	for _, g := range gear {
		if err := l.readGear(g, gearFolder(g)); err != nil {
			return nil, err
		}
	}
	if err := l.readNetwork(fsys); err != nil {
		return nil, err
	}
	if !l.unread { // else every name of that file would be missing everywhere
		l.check()
	}
	if err := l.list.Err(); err != nil {
		return nil, err
	}
	l.net.Index()
	return l.net, nil
}

// loader keeps, beside the network in the making, where each thing stood.
type loader struct {
	list strict.List
	net  *Network

	sites    []siteRow
	seats    []seatRow
	devices  []deviceRow
	links    []linkRow
	sectors  []sectorRow
	partners []partnerRow
	missed   map[GearID]bool
	refused  map[string]bool // kinds of which a name was refused for its form
	unread   bool            // a file is no YAML at all
}

// yamlFiles names the *.yaml files of a folder, sorted. Files that were
// probably meant to be read are a problem.
func (l *loader) yamlFiles(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		if dir != "." && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fault.New(fault.NotFound, "read the network folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch ext := path.Ext(name); {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case ext == ".yaml":
			names = append(names, name)
		case ext == ".yml" || strings.EqualFold(ext, ".yaml"):
			l.list.Add(strict.Problem{File: name, Line: 1, Text: "only files that end in .yaml are read: rename it to " + strings.TrimSuffix(name, ext) + ".yaml"})
		}
	}
	return names, nil
}

// readNetwork decodes the files of the root.
func (l *loader) readNetwork(fsys fs.FS) error {
	names, err := l.yamlFiles(fsys, ".")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fault.New(fault.Invalid, "the network folder has no *.yaml file: add one with the keys partners, sites, seats, devices, links and sectors")
	}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fault.New(fault.Invalid, "read %s: %w", name, err)
		}
		var f networkFile
		err = strict.Decode(name, data, &f)
		l.list.Join(name, err)
		if err != nil && reflect.ValueOf(f).IsZero() {
			l.unread = true
		}
		l.sites = append(l.sites, f.Sites...)
		l.seats = append(l.seats, f.Seats...)
		l.devices = append(l.devices, f.Devices...)
		l.links = append(l.links, f.Links...)
		l.sectors = append(l.sectors, f.Sectors...)
		l.partners = append(l.partners, f.Partners...)
	}
	return nil
}

// told says whether a key has a problem already.
func (l *loader) told(at strict.At, key string) bool { return l.list.Has(at.Problem(key, "")) }

// bad notes a problem at a key.
func (l *loader) bad(at strict.At, key, format string, args ...any) {
	l.list.Add(at.Problem(key, format, args...))
}

// oneOf checks a word against those allowed; an empty word passes.
func oneOf[S ~string](l *loader, at strict.At, key string, word S, allowed ...S) {
	if word == "" || slices.Contains(allowed, word) {
		return
	}
	guess := meant(word, allowed)
	if guess == "" {
		guess = ";"
	}
	l.bad(at, key, "%q is not known%s write one of %s", word, guess, words(allowed))
}

func meant[S ~string](word S, known []S) string {
	if n := strict.Nearest(word, known); n != "" {
		return ", did you mean " + string(n) + "?"
	}
	return ""
}

func words[S ~string](ws []S) string {
	ss := make([]string, len(ws))
	for i, w := range ws {
		ss[i] = string(w)
	}
	return strings.Join(ss, ", ")
}
