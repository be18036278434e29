// Package dem reads terrain: SRTM tiles (HGT) and GeoTIFF files, one or many,
// as one planning.Terrain. Heights are held in memory as they are in the
// files; nothing is ever made up: a void stays unknown.
//
// It is called by the composition root, which passes the Mosaic on.
package dem

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/planning"
)

// Config says what the files do not say of themselves.
type Config struct {
	// Name stands in results as the source; "" is the names of the files.
	Name string
	// Surface is what the heights are the heights of; "" is unknown.
	Surface planning.Surface
	// MaxCells is how many heights all files together may hold. A height
	// takes 2 bytes of memory (whole metres) or 4.
	MaxCells int
}

// Default is an unknown surface and room for 2²⁸ heights (half a gigabyte in
// whole metres): a thousand 3″ degrees, or twenty 1″ degrees.
func Default() Config {
	return Config{Surface: planning.UnknownSurface, MaxCells: 1 << 28}
}

// maxFiles is how many files one mosaic may have.
const maxFiles = 10000

// Open is Default().Open.
func Open(paths ...string) (*Mosaic, error) { return Default().Open(paths...) }

// OpenFS is Default().OpenFS.
func OpenFS(fsys fs.FS, names ...string) (*Mosaic, error) { return Default().OpenFS(fsys, names...) }

// Open reads the files and folders named. Of a folder it takes every .hgt,
// .tif and .tiff in it and below. A file that cannot be read is an error that
// names it; none is left out in silence.
func (c Config) Open(paths ...string) (*Mosaic, error) {
	var files []file
	for _, p := range paths {
		p = filepath.Clean(p)
		got, err := list(os.DirFS(filepath.Dir(p)), filepath.Base(p), filepath.Dir(p))
		if filepath.Base(p) == "." || filepath.Base(p) == ".." || filepath.Base(p) == string(filepath.Separator) {
			got, err = list(os.DirFS(p), ".", p)
		}
		if err != nil {
			return nil, err
		}
		files = append(files, got...)
	}
	return c.read(files)
}

// OpenFS is Open within fsys; without names it takes the whole of it.
func (c Config) OpenFS(fsys fs.FS, names ...string) (*Mosaic, error) {
	if len(names) == 0 {
		names = []string{"."}
	}
	var files []file
	for _, n := range names {
		got, err := list(fsys, n, "")
		if err != nil {
			return nil, err
		}
		files = append(files, got...)
	}
	return c.read(files)
}

// file is a terrain file and the name under which errors speak of it.
type file struct {
	fsys        fs.FS
	name, shown string
}

// list is the file called name, or the terrain files in the folder of that
// name.
func list(fsys fs.FS, name, dir string) ([]file, error) {
	shown := filepath.Join(dir, filepath.FromSlash(name))
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "open terrain %s: %w", shown, cause(err))
	}
	if !info.IsDir() {
		return []file{{fsys, name, shown}}, nil
	}
	var files []file
	err = fs.WalkDir(fsys, name, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && format(p) != "" && !strings.HasPrefix(path.Base(p), ".") {
			files = append(files, file{fsys, p, filepath.Join(dir, filepath.FromSlash(p))})
		}
		if len(files) > maxFiles {
			return fmt.Errorf("more than %d terrain files: name a folder with fewer", maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "open terrain folder %s: %w", shown, cause(err))
	}
	if len(files) == 0 {
		return nil, fault.New(fault.NotFound, "open terrain folder %s: it holds no .hgt, .tif or .tiff file", shown)
	}
	return files, nil
}

// cause drops the operation and the path of a file error: both were said.
func cause(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}

// format is "hgt" or "tiff" by the ending of a name, else "".
func format(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".hgt":
		return "hgt"
	case ".tif", ".tiff":
		return "tiff"
	}
	return ""
}

// read makes a mosaic of the files, in their order.
func (c Config) read(files []file) (*Mosaic, error) {
	if len(files) == 0 {
		return nil, fault.New(fault.Invalid, "open terrain: no file given")
	}
	if c.MaxCells <= 0 {
		c.MaxCells = Default().MaxCells
	}
	room := c.MaxCells
	grids := make([]*grid, 0, len(files))
	for _, f := range files {
		g, err := f.read(room)
		if err != nil {
			return nil, fault.New(fault.Invalid, "read terrain %s: %w", f.shown, err)
		}
		room -= g.cols * g.rows
		grids = append(grids, g)
	}
	return c.mosaic(grids), nil
}

// read is the heights of one file, of at most room cells.
func (f file) read(room int) (*grid, error) {
	h, err := f.fsys.Open(f.name)
	if err != nil {
		return nil, cause(err)
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return nil, cause(err)
	}
	in := input{size: info.Size()}
	if ra, ok := h.(io.ReaderAt); ok {
		in.ReaderAt = ra
	} else if in, err = whole(h, info.Size()); err != nil {
		return nil, err
	}
	base := path.Base(f.name)
	kind := format(base)
	if kind == "" && sniff(in) {
		kind = "tiff"
	}
	var g *grid
	switch kind {
	case "hgt":
		g, err = readHGT(in, base, room)
	case "tiff":
		g, err = readTIFF(in, base, room)
	default:
		err = fmt.Errorf("neither an SRTM tile (.hgt) nor a GeoTIFF (.tif): unpack it, or convert it with gdal_translate -of GTiff %s out.tif", base)
	}
	if err != nil {
		return nil, err
	}
	g.name = base
	return g, nil
}

// input is the bytes of a file.
type input struct {
	io.ReaderAt
	size int64
}

// bytes reads n bytes at off.
func (in input) bytes(off, n uint64) ([]byte, error) {
	if off > uint64(in.size) || n > uint64(in.size)-off {
		return nil, errTruncated(off, n, in.size)
	}
	b := make([]byte, n)
	if _, err := in.ReadAt(b, int64(off)); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

func errTruncated(off, n uint64, size int64) error {
	return fmt.Errorf("truncated: %d bytes are wanted at byte %d, the file has %d: download or copy it again", n, off, size)
}

// maxWhole is the largest file read whole where it cannot be read at random.
const maxWhole = 1 << 30

func whole(r io.Reader, size int64) (input, error) {
	if size > maxWhole {
		return input{}, fmt.Errorf("%d bytes inside an archive: unpack it first", size)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxWhole))
	if err != nil {
		return input{}, err
	}
	return input{strings.NewReader(string(b)), int64(len(b))}, nil
}

// sniff says whether the bytes begin as a TIFF.
func sniff(in input) bool {
	b, err := in.bytes(0, 4)
	if err != nil {
		return false
	}
	switch string(b) {
	case "II*\x00", "MM\x00*", "II+\x00", "MM\x00+":
		return true
	}
	return false
}

// checkCells says whether cols × rows heights may be taken from a file of
// size bytes.
func checkCells(cols, rows uint64, size int64, room int) error {
	if cols < 2 || rows < 2 {
		return fmt.Errorf("%d × %d cells: a terrain needs at least 2 × 2", cols, rows)
	}
	if cols > 1<<31 || rows > 1<<31 || cols*rows > uint64(max(room, 0)) {
		return fmt.Errorf("%d × %d cells are more than the %d that fit: cut out the area with gdal_translate -projwin", cols, rows, room)
	}
	// Deflate packs a thousand to one at the very best. Small files may
	// claim what they like, large claims need bytes to show for them.
	if n := cols * rows; n > 1<<24 && n/1100 > uint64(size) {
		return fmt.Errorf("%d × %d cells in %d bytes cannot be true: the file is damaged; download it again", cols, rows, size)
	}
	return nil
}
