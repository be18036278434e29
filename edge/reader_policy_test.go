package edge

import (
	"slices"
	"strings"
	"testing"
)

const goodReader = goodPolicy + `
reader:
  host: documenti.bergolo.example
  register: [protocollo]
  writes: [segreteria]
  author_domain: bergolo.example
  archives:
    - name: archivio
      title: Archivio del comune
      from: https://anna@cloud.example/dav/
      secret_file: /run/keys/dav
      readers:
        - {groups: [tutti]}
        - {under: ragioneria/, groups: [ragioneria, sindaco]}
        - {under: ragioneria/pubblico, groups: [tutti]}
    - {name: modelli, from: /srv/modelli, every_min: 60, readers: [{under: Moduli, groups: [tutti]}]}
`

func TestReaderPolicy(t *testing.T) {
	p, err := ParsePolicy("edge.yaml", []byte(goodReader))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Reader
	if r.IdleMin != 30 || r.DeviceDays != 90 || r.Archives[0].EveryMin != 15 || r.Archives[0].KeepDays != 366 || r.Archives[1].EveryMin != 60 || r.Archives[1].Title != "modelli" {
		t.Errorf("%+v", r)
	}
	for path, want := range map[string][]string{
		"delibere/1.pdf":             {"tutti"},
		"ragioneria":                 {"tutti"}, // a document with the name of the folder
		"ragioneria/bilancio.xlsx":   {"ragioneria", "sindaco"},
		"ragioneriax/bilancio.xlsx":  {"tutti"},
		"ragioneria/pubblico/a.pdf":  {"tutti"},
		"ragioneria/pubblicox/a.pdf": {"ragioneria", "sindaco"},
	} {
		if got := r.Archives[0].Groups(path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := r.Archives[1].Groups("altro/x"); len(got) != 0 {
		t.Errorf("what no line names is for %v", got)
	}
}

func TestReaderPolicyFaults(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"host: documenti.bergolo.example", "host: docs.bergolo.example", "twice"},
		{"host: documenti.bergolo.example", "host: Documenti", "small letters"},
		{"register: [protocollo]", "register: [Protocollo]", "register"},
		{"anna@cloud", "anna:secret@cloud", "secret_file"},
		{"name: modelli", "name: archivio", "twice"},
		{"name: modelli", "name: ../x", "name"},
		{"every_min: 60", "every_min: -1", "every_min"},
		{"under: Moduli", "under: a/../b", "under"},
		{"under: ragioneria/pubblico", "under: /ragioneria", "twice"},
		{"groups: [ragioneria, sindaco]", "groups: []", "groups"},
		{"every_min: 60", "requests_per_s: -1", "requests_per_s"},
		{"writes: [segreteria]", "idle_min: 1000", "idle_min"},
		{"writes: [segreteria]", "device_days: .nan", "device_days"},
		{"writes: [segreteria]", "boss: [x]", "boss"},
		{"author_domain: bergolo.example", "author_domain: other.example", "author_domain"},
		{"author_domain: bergolo.example", "author_domain: example", "author_domain"},
		{"class: create, anonymous: true", "class: create, anonymous: true, groups: [x]", "groups"},
		{"class: create, anonymous: true", "class: create, groups: [X]", "groups"},
	} {
		text := strings.Replace(goodReader, tt.from, tt.to, 1)
		if text == goodReader {
			t.Fatalf("%q is not there", tt.from)
		}
		_, err := ParsePolicy("edge.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "edge.yaml:") {
			t.Errorf("%s → %s: %v", tt.from, tt.to, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the password is told: %v", err)
		}
	}
}
