package page

import (
	"bytes"
	"container/list"
	"image"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// maxZoom is the deepest zoom served. A deeper one would only enlarge the
// cells of the finest terrain in use.
const maxZoom = 15

// drawing is how many tiles are drawn at the same time; the others wait.
const drawing = 2

// tiles draws map tiles and keeps those last asked for. Tiles asked for twice
// at once are drawn once.
type tiles struct {
	draw  Draw
	limit int    // bytes
	fresh string // Cache-Control
	slots chan struct{}

	mu    sync.Mutex
	kept  map[tileKey]*list.Element // of *tile
	order *list.List                // the last asked for in front
	size  int
}

type tileKey struct{ z, x, y int }

// tile is a picture, or one that is being drawn until done is closed.
type tile struct {
	key  tileKey
	done chan struct{}
	png  []byte
	tag  string
	err  error
}

func newTiles(draw Draw, limit int, fresh string) *tiles {
	return &tiles{draw: draw, limit: limit, fresh: fresh, slots: make(chan struct{}, drawing), kept: map[tileKey]*list.Element{}, order: list.New()}
}

// get gives a tile, from memory or drawn now.
func (ts *tiles) get(k tileKey) (*tile, error) {
	ts.mu.Lock()
	if e, ok := ts.kept[k]; ok {
		ts.order.MoveToFront(e)
		ts.mu.Unlock()
		t := e.Value.(*tile)
		<-t.done
		return t, t.err
	}
	t := &tile{key: k, done: make(chan struct{})}
	e := ts.order.PushFront(t)
	ts.kept[k] = e
	ts.mu.Unlock()

	func() {
		defer close(t.done)
		ts.slots <- struct{}{}
		defer func() { <-ts.slots }()
		t.err = fault.New(fault.Internal, "draw map tile %d/%d/%d: it was not drawn", k.z, k.x, k.y) // stays if draw panics
		t.png, t.err = ts.draw(k.z, k.x, k.y)
		t.tag = web.Tag(t.png)
	}()

	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.err != nil {
		ts.drop(e)
		return nil, t.err
	}
	ts.size += len(t.png)
	for last := ts.order.Back(); ts.size > ts.limit && last != nil; {
		before := last.Prev()
		if o := last.Value.(*tile); o != t && o.png != nil && o.ready() {
			ts.size -= len(o.png)
			ts.drop(last)
		}
		last = before
	}
	return t, nil
}

// ready says whether a tile is drawn. Its size counts only then.
func (t *tile) ready() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

func (ts *tiles) drop(e *list.Element) {
	ts.order.Remove(e)
	delete(ts.kept, e.Value.(*tile).key)
}

// keyOf reads z, x and y.png of a request.
func keyOf(r *http.Request) (tileKey, error) {
	bad := fault.New(fault.NotFound, "no map tile at %s: want Z/X/Y.png with Z from 0 to %d", r.URL.Path, maxZoom)
	name, ok := strings.CutSuffix(r.PathValue("file"), ".png")
	if !ok {
		return tileKey{}, bad
	}
	var k tileKey
	for _, f := range []struct {
		s    string
		into *int
	}{{r.PathValue("z"), &k.z}, {r.PathValue("x"), &k.x}, {name, &k.y}} {
		v, err := strconv.ParseUint(f.s, 10, 16)
		if err != nil || strconv.FormatUint(v, 10) != f.s {
			return tileKey{}, bad
		}
		*f.into = int(v)
	}
	if k.z > maxZoom || k.x >= 1<<k.z || k.y >= 1<<k.z {
		return tileKey{}, bad
	}
	return k, nil
}

// serve answers with a tile.
func (ts *tiles) serve(w http.ResponseWriter, r *http.Request) error {
	k, err := keyOf(r)
	if err != nil {
		return err
	}
	t, err := ts.get(k)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", ts.fresh)
	web.Bytes(w, r, t.png, t.tag)
	return nil
}

// coverTile is a tile of coverage; nothing while it is being planned.
func (p *Pages) coverTile(w http.ResponseWriter, r *http.Request) error {
	if _, err := keyOf(r); err != nil {
		return err
	}
	if _, _, ok, err := p.deps.Plan.Planned(); err != nil {
		return err
	} else if !ok {
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(nothing()) // the peer may have gone
		return nil
	}
	return p.cover.serve(w, r)
}

// nothing is an empty picture.
var nothing = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewAlpha(image.Rect(0, 0, 1, 1))); err != nil {
		return nil
	}
	return b.Bytes()
})
