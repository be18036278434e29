// Package floors holds the map of the house: which floor each package stands
// on, who may import whom, and which outside library may be used where and
// why. Its test reads every import of the tree and holds it against the map.
//
// A new package must be given its place here, with its reason, or the test
// fails: that is the moment to ask whether the noun is right.
package floors

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path of the main module.
const Module = "github.com/crinale/crinale"

// place is where a package stands.
type place struct {
	path string // below Module; a trailing /... takes the folders below too
	kind kind
	may  []string // plumbing, words: the packages of its own floor it may import
}

type kind uint8

const (
	pure     kind = iota // floor 0
	word                 // floor 1
	plumbing             // floor 1
	area                 // floor 2
	adapter              // floor 3
	root                 // floor 4
	testOnly             // imported by tests alone
	tool                 // a main package that makes files of the repository
)

// house lists every package. Floors are those of the design, §2.
var house = []place{
	{"internal/unit", pure, nil},
	{"internal/geo", pure, []string{"internal/unit"}},
	{"internal/fault", pure, nil},
	{"internal/strict", pure, []string{"internal/fault"}},
	{"internal/contact", pure, []string{"internal/fault"}},
	{"internal/zone", pure, nil},

	{"internal/spectrum", word, nil},
	{"internal/network", word, []string{"internal/spectrum"}},
	{"internal/territory", word, nil},
	{"demo", word, []string{"internal/network", "internal/territory"}},

	{"internal/bus", plumbing, nil},
	{"internal/run", plumbing, nil},
	{"internal/store", plumbing, nil},
	{"internal/spine", plumbing, nil},
	{"internal/metrics", plumbing, nil},
	{"internal/audit", plumbing, []string{"internal/store"}},
	{"internal/outbox", plumbing, []string{"internal/store"}},
	{"internal/mail", plumbing, nil},
	{"internal/login", plumbing, []string{"internal/store", "internal/audit"}},
	{"internal/certfile", plumbing, nil},
	{"internal/web", plumbing, []string{"internal/login", "internal/audit", "internal/certfile"}},

	{"radio", area, nil},
	{"planning", area, nil},
	{"controller", area, nil},
	{"carpool", area, nil},
	{"edge", area, nil},

	{"radio/routeros", adapter, nil},
	{"radio/sim", adapter, nil},
	{"planning/dem", adapter, nil},
	{"planning/census", adapter, nil},
	{"planning/export", adapter, nil},
	{"planning/page", adapter, nil},
	{"controller/history", adapter, nil},
	{"controller/feed", adapter, nil},
	{"controller/page", adapter, nil},
	{"carpool/roads", adapter, nil},
	{"carpool/page", adapter, nil},
	{"carpool/notify", adapter, nil},
	{"carpool/gtfs", adapter, nil},
	{"carpool/interop", adapter, nil},
	{"edge/proxy", adapter, nil},
	{"edge/channel", adapter, nil},
	{"edge/acme", adapter, []string{"internal/certfile"}},
	{"edge/store", adapter, nil},
	{"edge/page", adapter, nil},
	{"edge/people", adapter, nil},
	{"edge/warm", adapter, nil},
	{"edge/queue", adapter, nil},
	{"edge/remote", adapter, nil},
	{"edge/mirror", adapter, nil},
	{"edge/migrate", adapter, nil},

	{"cmd/crinale", root, nil},

	{"internal/floors", testOnly, nil},
	{"internal/testdata", testOnly, nil},
	{"internal/store/storetest", testOnly, nil},
	{"internal/spine/spinetest", testOnly, nil},
	{"internal/mail/mailtest", testOnly, nil},
	{"carpool/notify/iotest", testOnly, nil},
	{"carpool/keepertest", testOnly, nil},
	{"internal/web/browsertest", testOnly, nil},
	{"edge/rivaltest", testOnly, nil},
	{"demo/gen", tool, nil},
}

// library is an outside module and the packages that may import it.
type library struct {
	path string // a prefix of import paths
	by   []string
	why  string
}

// libraries is the allow-list. A package not named here may use the standard
// library only.
var libraries = []library{
	{"github.com/urfave/cli/v2", []string{"cmd/crinale"}, "flags and help; only the rim knows it"},
	{"github.com/schollz/progressbar/v3", []string{"cmd/crinale"}, "progress of long work on a terminal"},
	{"golang.org/x/term", []string{"cmd/crinale"}, "whether somebody can be asked"},
	{"github.com/go-gl/mathgl", []string{"internal/geo"}, "Earth-centred vectors and antenna frames"},
	{"go.yaml.in/yaml/v3", []string{"internal/strict"}, "YAML nodes with lines; everyone else decodes through strict"},
	{"github.com/paulmach/orb", []string{"internal/territory", "planning/export", "planning/census", "demo/gen"}, "outlines of comuni"},
	{"github.com/go-routeros/routeros/v3", []string{"radio/routeros"}, "the RouterOS API session"},
	{"github.com/go-routeros/routeros/v3/proto", []string{"radio/sim"}, "the simulator's bytes, never those of our own guard"},
	{"github.com/nats-io", []string{"internal/spine"}, "the embedded broker"},
	{"modernc.org/sqlite", []string{"internal/store", "controller/history"}, "pure Go SQLite"},
	{"github.com/jackc/pgx/v5", []string{"internal/store"}, "PostgreSQL"},
	{"github.com/pressly/goose/v3", []string{"internal/store"}, "migrations"},
	{"github.com/alexedwards/scs/v2", []string{"internal/web"}, "session cookies"},
	{"github.com/pquerna/otp", []string{"internal/login"}, "time-based one-time codes and their QR picture"},
	{"golang.org/x/crypto/argon2", []string{"internal/login"}, "people's passwords are stored hashed"},
	{"github.com/prometheus/client_golang", []string{"internal/metrics"}, "figures as Prometheus counts them"},
	{"github.com/prometheus/common/expfmt", []string{"internal/metrics"}, "the text form of Prometheus"},
	{"github.com/eclipse/paho.mqtt.golang", []string{"controller/feed", "edge/channel"}, "the feed to partners and edges, and an edge that hears it"},
	{"github.com/influxdata/influxdb-client-go/v2", []string{"controller/history"}, "the InfluxDB sink"},
	{"golang.org/x/crypto/bcrypt", []string{"controller"}, "partners' passwords are stored hashed"},
	{"github.com/teambition/rrule-go", []string{"carpool"}, "recurring lifts, RFC 5545"},
	{"github.com/arran4/golang-ical", []string{"carpool/notify"}, "calendars that phones subscribe to"},
	{"github.com/wneessen/go-mail", []string{"internal/mail"}, "SMTP with TLS and encoded headers"},
	{"golang.org/x/crypto/acme", []string{"edge/acme"}, "certificates by RFC 8555"},
	{"go.etcd.io/bbolt", []string{"edge/store", "edge/queue", "edge/mirror"}, "what an edge finds by other things than an address, and what it has promised to send"},
	{"github.com/maypok86/otter/v2", []string{"edge/store"}, "what an edge has in memory (W-TinyLFU)"},
	{"golang.org/x/image", []string{"planning/dem", "planning/export"}, "LZW of TIFF; letters on pictures"},
	{"github.com/klauspost/compress", []string{"planning/dem"}, "zstd of TIFF"},
	{"golang.org/x/text/unicode/norm", []string{"edge/mirror", "edge/migrate"}, "letters without accents, for search; names that a server takes for one"},
	{"github.com/minio/minio-go/v7", []string{"edge/remote"}, "documents in S3 buckets, with its signatures"},
}

// testLibraries may be imported by any _test file and by testOnly packages.
var testLibraries = []string{
	"github.com/rogpeppe/go-internal/testscript",
	"pgregory.net/rapid",
	"github.com/chromedp",
	"github.com/emersion/go-smtp",
	"github.com/paulmach/osm",
	"github.com/emersion/go-sasl", // how one signs in there
	"github.com/getkin/kin-openapi",
	"github.com/johannesboyne/gofakes3", // an S3 server in the process
	"golang.org/x/net/webdav",           // a WebDAV server in the process
}

// Import is one import found in the tree.
type Import struct {
	From string // package path below Module
	To   string // import path as written
	File string // for the message
	Test bool   // in a _test file
}

func find(path string) (place, bool) {
	for _, p := range house {
		if p.path == path {
			return p, true
		}
	}
	return place{}, false
}

// Check says what is wrong with an import, or "" when the house allows it.
func Check(im Import) string {
	from, ok := find(im.From)
	if !ok {
		return fmt.Sprintf("%s: package %s has no place in internal/floors: give it one, with its floor", im.File, im.From)
	}
	if to, own := strings.CutPrefix(im.To, Module+"/"); own {
		return inside(from, to, im)
	}
	if !strings.Contains(strings.SplitN(im.To, "/", 2)[0], ".") {
		return "" // standard library
	}
	return outside(from, im)
}

func inside(from place, path string, im Import) string {
	to, ok := find(path)
	bad := func(why string) string {
		return fmt.Sprintf("%s: %s must not import %s: %s", im.File, from.path, path, why)
	}
	switch {
	case !ok:
		return bad("it has no place in internal/floors")
	case from.path == to.path:
		return "" // an external test of the package itself
	case im.Test, from.kind == testOnly:
		return test(from, to, bad)
	case to.kind == testOnly:
		return bad("it is for tests only")
	case from.kind == tool:
		if to.kind == root || to.kind == tool {
			return bad("it is a main package")
		}
		return ""
	case to.kind == root || to.kind == tool:
		return bad("it is a main package")
	case from.kind == root:
		return ""
	}
	switch from.kind {
	case pure:
		if !slices.Contains(from.may, to.path) {
			return bad("floor 0 is pure, and only goes in the direction drawn")
		}
	case word, plumbing:
		if to.kind == pure {
			return ""
		}
		if to.kind != from.kind {
			return bad("words and plumbing do not know each other, nor what is above")
		}
		if !slices.Contains(from.may, to.path) {
			return bad("within its floor only in the direction drawn")
		}
	case area:
		if to.kind == area {
			return bad("areas never import each other: cmd/crinale wires them with words")
		}
		if to.kind == adapter {
			return bad("imports go down only")
		}
	case adapter:
		if to.kind == adapter {
			return bad("an adapter never imports a sibling or another area's adapter")
		}
		if to.kind == area && !strings.HasPrefix(from.path, to.path+"/") {
			return bad("an adapter knows its own area only")
		}
	}
	return ""
}

// test files may use the simulator, test helpers and adapters of their own
// area (to hold one against another), besides what their package may.
func test(from, to place, bad func(string) string) string {
	switch {
	case to.kind == root || to.kind == tool:
		return bad("it is a main package")
	case to.kind <= plumbing || to.kind == testOnly || to.path == "radio/sim":
		return ""
	case from.kind == root || from.kind == tool || from.kind == testOnly:
		return ""
	case strings.SplitN(from.path, "/", 2)[0] == strings.SplitN(to.path, "/", 2)[0]:
		return ""
	}
	return bad("a test stays in its own area; whole-program tests live in cmd/crinale")
}

func outside(from place, im Import) string {
	if im.Test || from.kind == testOnly {
		for _, l := range testLibraries {
			if im.To == l || strings.HasPrefix(im.To, l+"/") {
				return ""
			}
		}
		for _, l := range libraries { // a test may meet any chosen library as a peer
			if im.To == l.path || strings.HasPrefix(im.To, l.path+"/") {
				return ""
			}
		}
		return fmt.Sprintf("%s: library %s is not in the allow-list of internal/floors, not even for tests", im.File, im.To)
	}
	known := false
	for _, l := range libraries {
		if im.To == l.path || strings.HasPrefix(im.To, l.path+"/") {
			known = true
			if slices.Contains(l.by, from.path) {
				return ""
			}
		}
	}
	if known {
		return fmt.Sprintf("%s: library %s is not for %s: see the allow-list of internal/floors", im.File, im.To, from.path)
	}
	return fmt.Sprintf("%s: library %s is not in the allow-list of internal/floors: add it with its reason, or do without", im.File, im.To)
}
