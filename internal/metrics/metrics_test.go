package metrics_test

import (
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/metrics"
)

func Example() {
	reg := metrics.New()
	reg.GaugeFunc("crinale_devices", "Devices by whether they answer.", []string{"reach"}, func(emit metrics.Emit) {
		emit(58, "up")
		emit(2, "down")
	})
	took := reg.Histogram("crinale_poll_round_seconds", "Time of a round of readings.", []float64{1, 5})
	took.Observe(0.5)
	took.Observe(7)
	fmt.Printf("%s", reg.Text())
	// Output:
	// # HELP crinale_devices Devices by whether they answer.
	// # TYPE crinale_devices gauge
	// crinale_devices{reach="down"} 2
	// crinale_devices{reach="up"} 58
	// # HELP crinale_metrics_left_out_total Values left out of the figures: wrong labels, twice the same labels, a counter below zero, too many values of one name, or a figure that could not be read.
	// # TYPE crinale_metrics_left_out_total counter
	// crinale_metrics_left_out_total 0
	// # HELP crinale_poll_round_seconds Time of a round of readings.
	// # TYPE crinale_poll_round_seconds histogram
	// crinale_poll_round_seconds_bucket{le="1"} 1
	// crinale_poll_round_seconds_bucket{le="5"} 1
	// crinale_poll_round_seconds_bucket{le="+Inf"} 2
	// crinale_poll_round_seconds_sum 7.5
	// crinale_poll_round_seconds_count 2
}

func TestHandlerShowsWhatIsRegistered(t *testing.T) {
	reg := metrics.New()
	reg.Process()
	signs := reg.Counter("crinale_sign_ins_total", "Sign-ins by outcome.", "outcome")
	signs.Add(0, "refused")
	signs.Add(2, "ok")
	signs.Add(1, "ok")
	reg.Gauge("crinale_never_set", "Nobody has set it.")
	odd := reg.Gauge("crinale_odd", `Back\slash.`, "name", "why")
	odd.Set(math.Inf(1), "a\"b\\c\nd", "è")
	odd.Set(-1e-9, "\xff", "")
	odd.Set(math.NaN(), "unknown", "")
	odd.Set(1, "unknown again", "")
	odd.Set(math.NaN(), "unknown again", "")
	reg.Counter("crinale_plain_total", "Nothing yet.")
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}

	rec := httptest.NewRecorder()
	reg.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	page, err := read(rec.Body.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, rec.Body)
	}
	for line, want := range map[string]float64{
		`crinale_sign_ins_total{outcome="ok"}`:         3,
		`crinale_sign_ins_total{outcome="refused"}`:    0,
		`crinale_plain_total`:                          0,
		`crinale_odd{name="a\"b\\c\nd",why="è"}`:       math.Inf(1),
		"crinale_odd{name=\"\uFFFD\",why=\"\"}":        -1e-9,
		`go_info{version="` + runtime.Version() + `"}`: 1,
		`crinale_metrics_left_out_total`:               0,
	} {
		if got, ok := page.values[line]; !ok || got != want {
			t.Errorf("%s: got %v (%v), want %v", line, got, ok, want)
		}
	}
	for line := range page.values {
		if strings.Contains(line, "unknown") || strings.Contains(line, "never_set") {
			t.Errorf("%s: nobody knows it, and it is shown", line)
		}
	}
	if page.values["go_goroutines"] < 1 || page.values["go_memstats_heap_alloc_bytes"] < 1e4 || page.values["process_start_time_seconds"] < 1e9 {
		t.Errorf("of the process: %v", page.values)
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil &&
		(page.values["process_resident_memory_bytes"] < 1e6 || page.values["process_open_fds"] < 3 || page.values["process_max_fds"] < 3) {
		t.Errorf("of the process: %v", page.values)
	}

	// What List tells is what the text tells, besides what has no value yet;
	// all that the text tells is in the list.
	var names []string
	for _, d := range reg.List() {
		names = append(names, d.Name)
		if d.Name == "crinale_never_set" {
			continue
		}
		if page.types[d.Name] != d.Type || page.help[d.Name] == "" || d.Labels == nil {
			t.Errorf("%+v: the text says %s %q", d, page.types[d.Name], page.help[d.Name])
		}
	}
	if !slices.IsSorted(names) || len(names) != len(page.types)+1 {
		t.Errorf("list %v, text %v", names, page.types)
	}
}

func TestDeclarationsThatBreakARule(t *testing.T) {
	for name, declare := range map[string]func(*metrics.Registry){
		"other prefix":        func(r *metrics.Registry) { r.Gauge("links_up", "Help.") },
		"capital":             func(r *metrics.Registry) { r.Gauge("crinale_Links", "Help.") },
		"dash":                func(r *metrics.Registry) { r.Gauge("crinale-links", "Help.") },
		"counter, no total":   func(r *metrics.Registry) { r.Counter("crinale_links", "Help.") },
		"gauge with total":    func(r *metrics.Registry) { r.Gauge("crinale_links_total", "Help.") },
		"gauge like sum":      func(r *metrics.Registry) { r.Gauge("crinale_links_sum", "Help.") },
		"no help":             func(r *metrics.Registry) { r.Gauge("crinale_links", " ") },
		"help of two lines":   func(r *metrics.Registry) { r.Gauge("crinale_links", "a\nb") },
		"label with a dash":   func(r *metrics.Registry) { r.Gauge("crinale_links", "Help.", "a-b") },
		"label le":            func(r *metrics.Registry) { r.Gauge("crinale_links", "Help.", "le") },
		"label twice":         func(r *metrics.Registry) { r.Gauge("crinale_links", "Help.", "a", "a") },
		"histogram, no unit":  func(r *metrics.Registry) { r.Histogram("crinale_round", "Help.", metrics.Durations) },
		"histogram, unsorted": func(r *metrics.Registry) { r.Histogram("crinale_round_seconds", "Help.", []float64{2, 1}) },
		"histogram, no bound": func(r *metrics.Registry) { r.Histogram("crinale_round_seconds", "Help.", nil) },
		"histogram, NaN": func(r *metrics.Registry) {
			r.Histogram("crinale_round_seconds", "Help.", []float64{math.NaN()})
		},
		"twice": func(r *metrics.Registry) {
			r.Gauge("crinale_links", "Help.")
			r.GaugeFunc("crinale_links", "Help.", nil, func(metrics.Emit) {})
		},
	} {
		reg := metrics.New()
		declare(reg)
		if err := reg.Err(); fault.Of(err) != fault.Internal || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := read(string(reg.Text())); err != nil {
			t.Errorf("%s: the rest is not shown: %v", name, err)
		}
	}
	// Values for a figure that was refused do no harm.
	reg := metrics.New()
	reg.Counter("wrong", "").Add(1)
	reg.Histogram("wrong", "", nil).Observe(1)
	if n := len(reg.List()); n != 1 {
		t.Errorf("%d figures, want the one that is always there", n)
	}
}

// What cannot be shown rightly is left out and counted, and takes nothing else
// with it.
func TestWhatIsLeftOutIsCounted(t *testing.T) {
	reg := metrics.New()
	c := reg.Counter("crinale_a_total", "Help.", "x")
	c.Add(-1, "back")
	c.Add(math.NaN(), "nan")
	c.Add(1)
	c.Add(1, "one", "too many")
	reg.Histogram("crinale_b_seconds", "Help.", []float64{1}).Observe(math.NaN())
	reg.CounterFunc("crinale_c_total", "Help.", []string{"x"}, func(emit metrics.Emit) {
		emit(1, "same")
		emit(2, "same")
		emit(3)
		emit(-4, "back")
		emit(math.NaN(), "unknown is no mistake")
	})
	reg.GaugeFunc("crinale_d", "Help.", nil, func(metrics.Emit) { panic("its owner is broken") })
	for range 10_001 {
		c.Add(1, "many") // one value
	}
	for i := range 10_050 {
		c.Add(1, fmt.Sprint(i))
	}
	page, err := read(string(reg.Text()))
	if err != nil {
		t.Fatal(err)
	}
	page2, err := read(string(reg.Text())) // the mistakes of read are counted after it
	if err != nil {
		t.Fatal(err)
	}
	if page.values[`crinale_c_total{x="same"}`] != 1 {
		t.Errorf("%v", page.values[`crinale_c_total{x="same"}`])
	}
	// Those of the first text, and of the second as many as it read before.
	if got := page2.values["crinale_metrics_left_out_total"]; got < 5+51+3+1 || got > 5+51+3+1+3 {
		t.Errorf("left out %v", got)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	reg := metrics.New()
	c := reg.Counter("crinale_a_total", "Help.", "who")
	h := reg.Histogram("crinale_b_seconds", "Help.", metrics.Durations)
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for i := range 1000 {
				c.Add(1, fmt.Sprint(who%4))
				h.Observe(float64(i) / 100)
				if i%100 == 0 {
					if _, err := read(string(reg.Text())); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	page, err := read(string(reg.Text()))
	if err != nil {
		t.Fatal(err)
	}
	if page.values[`crinale_a_total{who="3"}`] != 2000 || page.values["crinale_b_seconds_count"] != 8000 {
		t.Errorf("%v", page.values)
	}
}

func BenchmarkText(b *testing.B) {
	reg := metrics.New()
	reg.Process()
	g := reg.Gauge("crinale_link_signal_dbm", "Level.", "link")
	for i := range 1000 {
		g.Set(-60, fmt.Sprint("link-", i))
	}
	for b.Loop() {
		if len(reg.Text()) < 1000 {
			b.Fatal("empty")
		}
	}
}
