package history

import (
	"fmt"
	"os"
	"strings"
)

// Disk is what the history takes on the disk.
type Disk struct {
	Files   int   // databases
	Bytes   int64 // of these and of what SQLite keeps beside them
	Damaged int64 // bytes of files that were moved aside
}

// Disk looks at the folder. It is an error when that cannot be read.
func (h *History) Disk() (Disk, error) {
	entries, err := os.ReadDir(h.cfg.Dir)
	if err != nil {
		return Disk{}, fmt.Errorf("history: look at %s: %w", h.cfg.Dir, err)
	}
	var d Disk
	for _, e := range entries {
		base, _, aside := strings.Cut(e.Name(), ".damaged-")
		_, _, database := parse(base)
		_, _, ours := parse(strings.TrimSuffix(strings.TrimSuffix(base, "-wal"), "-shm"))
		st, err := e.Info()
		switch {
		case err != nil || !ours: // swept just now, or another's
		case aside:
			d.Damaged += st.Size()
		default:
			d.Bytes += st.Size()
			if database {
				d.Files++
			}
		}
	}
	return d, nil
}
