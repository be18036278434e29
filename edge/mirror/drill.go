package mirror

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// DrillConfig is what a drill restores, and where.
type DrillConfig struct {
	Repo    *Repo
	Comune  string    // whose documents they are; for the report
	At      time.Time // the snapshot of this time; zero is the newest
	Scratch string    // folder that a new folder is made in, and removed after
	Now     func() time.Time
}

// DrillReport is the outcome of a drill.
type DrillReport struct {
	Comune    string    `json:"comune"`
	Began     time.Time `json:"began"`
	Snapshot  string    `json:"snapshot"`
	Manifest  string    `json:"manifest_sha256"`
	Documents int       `json:"documents"` // in the snapshot
	Restored  int       `json:"restored"`  // read back from the scratch folder with the right hash
	Bytes     int64     `json:"bytes"`
	RTOs      float64   `json:"rto_s"` // how long the restore took
	RPOs      float64   `json:"rpo_s"` // how old the newest snapshot was
	Complete  bool      `json:"complete"`
	Failed    []Trouble `json:"failed"` // documents that did not come back
	Passed    bool      `json:"passed"`
	Notice    string    `json:"notice"`
}

// notice is in every report.
const notice = "Questa prova riguarda una copia di lavoro: non è conservazione a norma dei documenti informatici (Linee guida AgID) e non la sostituisce."

// Drill restores a snapshot into a scratch folder, reads every file of it again
// and measures. Damage is in the report, not in the error: that is for a drill
// that could not be held.
func Drill(ctx context.Context, cfg DrillConfig) (rep DrillReport, err error) {
	if cfg.Repo == nil || cfg.Scratch == "" || cfg.Now == nil {
		return rep, fault.New(fault.Invalid, "drill: repository, scratch and now are needed: write them")
	}
	m, hash, err := cfg.Repo.At(cfg.At)
	if err != nil {
		return rep, err
	}
	newest, _, err := cfg.Repo.Latest()
	if err != nil {
		return rep, err
	}
	dir, err := os.MkdirTemp(cfg.Scratch, "drill-")
	if err != nil {
		return rep, fault.New(fault.Invalid, "drill: scratch %s: %w: name a folder that can be written", cfg.Scratch, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := cfg.Now()
	rep = DrillReport{Comune: cfg.Comune, Began: began.UTC().Truncate(time.Second), Snapshot: m.Name(), Manifest: hash,
		Documents: len(m.Documents), Complete: m.Complete, RPOs: began.Sub(newest.At).Seconds(), Notice: notice, Failed: []Trouble{}}
	got, err := cfg.Repo.Restore(ctx, m.At, nil, dir)
	if err != nil {
		return rep, err
	}
	rep.RTOs, rep.Bytes = cfg.Now().Sub(began).Seconds(), got.Bytes
	rep.Failed = append(rep.Failed, got.Failed...)
	failed := map[string]bool{}
	for _, f := range got.Failed {
		failed[f.Path] = true
	}
	for _, e := range m.Documents {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		if failed[e.Path] {
			continue
		}
		switch sum, err := sumFile(filepath.Join(dir, filepath.FromSlash(e.Path))); {
		case err != nil:
			rep.Failed = append(rep.Failed, Trouble{e.Path, err.Error()})
		case sum != e.SHA256:
			rep.Failed = append(rep.Failed, Trouble{e.Path, "the restored file has another SHA-256"})
		default:
			rep.Restored++
		}
	}
	rep.Passed = len(rep.Failed) == 0 && rep.Restored == rep.Documents
	return rep, nil
}

// Signed is a report with its signature.
type Signed struct {
	Report    json.RawMessage `json:"report"`
	Key       []byte          `json:"key"`       // ed25519, public
	Signature []byte          `json:"signature"` // of the bytes of report
}

// Sign writes a report as JSON that cannot be changed unseen.
func (rep DrillReport) Sign(key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fault.New(fault.Invalid, "drill: the key to sign with is no ed25519 key: make one")
	}
	data, err := json.Marshal(rep)
	if err != nil {
		return nil, err
	}
	return json.Marshal(Signed{data, key.Public().(ed25519.PublicKey), ed25519.Sign(key, data)})
}

// ReadSigned reads a report back. key is the one that is trusted: that in the
// file proves nothing.
func ReadSigned(data []byte, key ed25519.PublicKey) (DrillReport, error) {
	var s Signed
	var rep DrillReport
	if err := json.Unmarshal(data, &s); err != nil {
		return rep, fault.New(fault.Invalid, "drill report: %w", err)
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, s.Report, s.Signature) {
		return rep, fault.New(fault.Denied, "drill report: it was changed, or signed with another key")
	}
	return rep, json.Unmarshal(s.Report, &rep)
}

// Text is the report in Italian, for people.
func (rep DrillReport) Text() string {
	var b strings.Builder
	outcome := "SUPERATA"
	if !rep.Passed {
		outcome = "NON SUPERATA"
	}
	fmt.Fprintf(&b, "Prova di ripristino dei documenti — %s\n\nEsito: %s\n", rep.Comune, outcome)
	fmt.Fprintf(&b, "Inizio: %s (UTC)\nIstantanea: %s\n", rep.Began.Format("02/01/2006 15:04:05"), rep.Snapshot)
	fmt.Fprintf(&b, "Documenti ripristinati e verificati: %d su %d (%d byte)\n", rep.Restored, rep.Documents, rep.Bytes)
	fmt.Fprintf(&b, "Tempo di ripristino (RTO): %s\n", time.Duration(rep.RTOs*float64(time.Second)).Round(time.Millisecond))
	fmt.Fprintf(&b, "Età dell'ultima copia (RPO): %s\n", time.Duration(rep.RPOs*float64(time.Second)).Round(time.Second))
	if !rep.Complete {
		b.WriteString("Attenzione: l'istantanea non contiene la versione più recente di tutti i documenti.\n")
	}
	if len(rep.Failed) > 0 {
		b.WriteString("\nDocumenti danneggiati o non ripristinati:\n")
		for _, f := range rep.Failed {
			fmt.Fprintf(&b, "- %q: %s\n", f.Path, f.Why)
		}
	}
	return b.String() + "\n" + rep.Notice + "\n"
}

var page = template.Must(template.New("drill").Parse(`<!doctype html>
<html lang="it"><meta charset="utf-8"><title>Prova di ripristino – {{.Comune}}</title>
<pre>{{.Text}}</pre></html>
`))

// HTML is the same as a page.
func (rep DrillReport) HTML() (string, error) {
	var b strings.Builder
	err := page.Execute(&b, rep)
	return b.String(), err
}
