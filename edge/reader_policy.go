package edge

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/strict"
)

// ReaderPolicy is where employees read documents with or without a link, keep the
// emergency register, and see what became of their writes.
type ReaderPolicy struct {
	At         strict.At       `yaml:"-"`
	Host       string          `yaml:"host,required"`
	CertFile   string          `yaml:"cert_file"`
	KeyFile    string          `yaml:"key_file"`
	IdleMin    float64         `yaml:"idle_min"`
	DeviceDays float64         `yaml:"device_days"`
	Register   []string        `yaml:"register"` // groups that keep the emergency register
	Writes     []string        `yaml:"writes"`   // groups that see all waiting writes, and decide conflicts
	Archives   []ArchivePolicy `yaml:"archives"`
	// AuthorDomain is what the names of the reader and of all services end with.
	// Who is in at the reader is then known as the author of what is sent to the
	// services while the link is down.
	AuthorDomain string `yaml:"author_domain"`
}

// ArchivePolicy is a place of documents that is mirrored here.
type ArchivePolicy struct {
	At         strict.At       `yaml:"-"`
	Name       string          `yaml:"name,required"` // in addresses, and a folder of the data folder
	Title      string          `yaml:"title"`         // for employees
	From       string          `yaml:"from,required"`
	SecretFile string          `yaml:"secret_file"`
	EveryMin   float64         `yaml:"every_min"`
	KeepDays   float64         `yaml:"keep_days"`
	PerSecond  float64         `yaml:"requests_per_s"` // that the place is asked at most
	Readers    []ReadersPolicy `yaml:"readers,required"`
}

// ReadersPolicy says who may read what lies under a folder.
type ReadersPolicy struct {
	At     strict.At `yaml:"-"`
	Under  string    `yaml:"under"` // "" is all
	Groups []string  `yaml:"groups,required"`
}

var groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

func (r *ReaderPolicy) check(l *strict.List, hosts []string, seen map[string]bool) {
	if !hostName.MatchString(r.Host) || len(r.Host) > 259 {
		l.Add(r.At.Problem("host", "%q: write the name that employees ask for, in small letters", r.Host))
	}
	if seen[r.Host] {
		l.Add(r.At.Problem("host", "%q is there twice: the reader needs a name of its own", r.Host))
	}
	if (r.CertFile == "") != (r.KeyFile == "") {
		l.Add(r.At.Problem("cert_file", "write cert_file and key_file, or neither"))
	}
	if r.IdleMin == 0 {
		r.IdleMin = 30
	}
	if r.DeviceDays == 0 {
		r.DeviceDays = 90
	}
	if !(r.IdleMin >= 1) || r.IdleMin > 12*60 {
		l.Add(r.At.Problem("idle_min", "%v: write 1 to 720 minutes", r.IdleMin))
	}
	if !(r.DeviceDays >= 1) || r.DeviceDays > 366 {
		l.Add(r.At.Problem("device_days", "%v: write 1 to 366 days", r.DeviceDays))
	}
	checkGroups(l, r.At, "register", r.Register)
	checkGroups(l, r.At, "writes", r.Writes)
	for _, h := range append(hosts, r.Host) {
		if r.AuthorDomain != "" && !below(h, r.AuthorDomain) {
			l.Add(r.At.Problem("author_domain", "%q: %s does not end with it: give all names of this edge one domain of yours, or leave it out", r.AuthorDomain, h))
		}
	}
	if r.AuthorDomain != "" && (!hostName.MatchString(r.AuthorDomain) || strings.Count(r.AuthorDomain, ".") < 1) {
		l.Add(r.At.Problem("author_domain", "%q: write a domain of yours, such as bergolo.example", r.AuthorDomain))
	}
	names := map[string]bool{}
	for i := range r.Archives {
		a := &r.Archives[i]
		if names[a.Name] {
			l.Add(a.At.Problem("name", "%q is there twice", a.Name))
		}
		names[a.Name] = true
		a.check(l)
	}
}

// below says that a host, with or without a port, is a name in a domain.
func below(host, domain string) bool {
	name, _, _ := strings.Cut(host, ":")
	return strings.HasSuffix(name, "."+domain)
}

func checkGroups(l *strict.List, at strict.At, key string, groups []string) {
	for _, g := range groups {
		if !groupName.MatchString(g) {
			l.Add(at.Problem(key, "%q: write small letters, digits, dots, hyphens", g))
		}
	}
}

func (a *ArchivePolicy) check(l *strict.List) {
	if !edgeName.MatchString(a.Name) {
		l.Add(a.At.Problem("name", "%q: write small letters, digits and hyphens", a.Name))
	}
	if a.Title == "" {
		a.Title = a.Name
	}
	if a.From == "" {
		l.Add(a.At.Problem("from", "write a folder, https://USER@HOST/PATH/ or s3://ACCESSKEY@HOST/BUCKET/PREFIX"))
	}
	if u, err := url.Parse(a.From); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			l.Add(a.At.Problem("from", "the password stands in the address, where others see it: put it into a file and name that in secret_file"))
		}
	}
	if a.EveryMin == 0 {
		a.EveryMin = 15
	}
	if a.PerSecond == 0 {
		a.PerSecond = 5
	}
	if !(a.PerSecond > 0) || a.PerSecond > 1000 {
		l.Add(a.At.Problem("requests_per_s", "%v: write a number above 0", a.PerSecond))
	}
	if a.KeepDays == 0 {
		a.KeepDays = 366
	}
	if !(a.EveryMin > 0) || a.EveryMin > 7*24*60 {
		l.Add(a.At.Problem("every_min", "%v: write minutes, up to a week", a.EveryMin))
	}
	if !(a.KeepDays >= 1) || a.KeepDays > 36600 {
		l.Add(a.At.Problem("keep_days", "%v: write 1 or more days", a.KeepDays))
	}
	under := map[string]bool{}
	for i := range a.Readers {
		r := &a.Readers[i]
		r.Under = strings.Trim(r.Under, "/")
		if r.Under != "" && CheckPath(r.Under) != nil {
			l.Add(r.At.Problem("under", "%q: write a folder of the archive, such as ragioneria/bilanci", r.Under))
		}
		if under[r.Under] {
			l.Add(r.At.Problem("under", "%q is there twice", r.Under))
		}
		under[r.Under] = true
		if len(r.Groups) == 0 {
			l.Add(r.At.Problem("groups", "write who may read it"))
		}
		checkGroups(l, r.At, "groups", r.Groups)
	}
}

// Groups are those that may read a document: those of the innermost folder that is
// named. None is nobody.
func (a *ArchivePolicy) Groups(path string) []string {
	best, groups := -1, []string(nil)
	for _, r := range a.Readers {
		if len(r.Under) > best && (r.Under == "" || strings.HasPrefix(path, r.Under+"/")) {
			best, groups = len(r.Under), r.Groups
		}
	}
	return slices.Clone(groups)
}
