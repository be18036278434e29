package metrics

import (
	"bytes"
	"os"
	"runtime"
	rm "runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Process declares what every program has, under the names that ready-made
// dashboards look for: memory, processor time, open files, goroutines. What
// the system does not tell (outside Linux: most of process_) has no value.
func (r *Registry) Process() {
	info := "Version of Go that built the program; the value is always 1."
	r.GaugeFunc("go_info", info, []string{"version"}, func(emit Emit) { emit(1, runtime.Version()) })
	for _, f := range []struct{ name, help, from, kind string }{
		{"go_goroutines", "Goroutines at this moment.", "/sched/goroutines:goroutines", gauge},
		{"go_gc_cycles_total", "Rounds of the garbage collector.", "/gc/cycles/total:gc-cycles", counter},
		{"go_memstats_heap_alloc_bytes", "Memory of the heap in use.", "/memory/classes/heap/objects:bytes", gauge},
		{"go_memstats_sys_bytes", "Memory that Go has from the system, mapped and not given back.", "/memory/classes/total:bytes", gauge},
		{"go_memstats_alloc_bytes_total", "Memory of the heap given out since the start.", "/gc/heap/allocs:bytes", counter},
	} {
		read := func(emit Emit) {
			s := []rm.Sample{{Name: f.from}}
			rm.Read(s)
			if s[0].Value.Kind() == rm.KindUint64 {
				emit(float64(s[0].Value.Uint64()))
			}
		}
		if f.kind == counter {
			r.CounterFunc(f.name, f.help, nil, read)
		} else {
			r.GaugeFunc(f.name, f.help, nil, read)
		}
	}
	start := float64(begun.UnixMilli()) / 1000
	r.GaugeFunc("process_start_time_seconds", "When the program began, in seconds since 1970.", nil, func(emit Emit) { emit(start) })
	r.CounterFunc("process_cpu_seconds_total", "Processor time used, of the program and of the system for it.", nil, func(emit Emit) {
		if s, ok := readStat(); ok {
			emit(s.cpu)
		}
	})
	r.GaugeFunc("process_resident_memory_bytes", "Memory that is in RAM, files mapped into it included.", nil, func(emit Emit) {
		if s, ok := readStat(); ok {
			emit(s.resident)
		}
	})
	r.GaugeFunc("process_open_fds", "Open files and connections.", nil, func(emit Emit) {
		if d, err := os.Open("/proc/self/fd"); err == nil {
			defer d.Close()
			if names, err := d.Readdirnames(-1); err == nil {
				emit(float64(len(names) - 1)) // without the one that reads the folder
			}
		}
	})
	r.GaugeFunc("process_max_fds", "How many files and connections may be open.", nil, func(emit Emit) {
		limits, _ := os.ReadFile("/proc/self/limits")
		if n, ok := maxFiles(limits); ok {
			emit(n)
		}
	})
}

var begun = time.Now()

// stat is what /proc/self/stat tells: proc(5), fields 14, 15 and 24.
type stat struct {
	cpu      float64 // s
	resident float64 // bytes
}

func readStat() (stat, bool) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return stat{}, false
	}
	return parseStat(text, os.Getpagesize())
}

// ticks of the clock in a second: a constant of the system's interface on
// every platform that Go knows.
const ticks = 100

func parseStat(text []byte, page int) (stat, bool) {
	end := bytes.LastIndexByte(text, ')') // the name of the program may hold anything
	if end < 0 {
		return stat{}, false
	}
	f := strings.Fields(string(text[end+1:])) // begins with field 3
	if len(f) < 22 {
		return stat{}, false
	}
	user, err1 := strconv.ParseUint(f[11], 10, 64)
	system, err2 := strconv.ParseUint(f[12], 10, 64)
	pages, err3 := strconv.ParseUint(f[21], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return stat{}, false
	}
	return stat{float64(user+system) / ticks, float64(pages) * float64(page)}, true
}

// maxFiles finds the soft limit in /proc/self/limits.
func maxFiles(limits []byte) (float64, bool) {
	for line := range strings.Lines(string(limits)) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if f := strings.Fields(rest); ok && len(f) > 0 {
			n, err := strconv.ParseUint(f[0], 10, 64)
			return float64(n), err == nil
		}
	}
	return 0, false
}
