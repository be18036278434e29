// Gen writes the files of the demo union from the facts in the shared data
// folder: the territory, the heights, and the invented network, planned on
// those heights. SOURCES.md beside it says what comes from where.
//
//	go run ./demo/gen -shared ../shared -out demo
//
// The same input gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// talk is where the generator says what it does.
var talk io.Writer = os.Stderr

func main() {
	shared := flag.String("shared", "../shared", "the shared data folder")
	out := flag.String("out", "demo", "the folder to write to")
	only := flag.String("only", "", "write one part: territory, terrain, network or carpool")
	flag.Parse()
	if err := run(*shared, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(shared, out, only string) error {
	for _, part := range []struct {
		name string
		make func(shared, out string) error
	}{
		{"territory", makeTerritory},
		{"terrain", makeTerrain},
		{"network", makeNetwork},
		{"carpool", makeCarpool},
	} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.make(shared, out); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// write puts a file below the output folder.
func write(out, name string, data []byte) error {
	path := filepath.Join(out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fmt.Fprintf(talk, "%s: %d bytes\n", path, len(data))
	return os.WriteFile(path, data, 0o644)
}
