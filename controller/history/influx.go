package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
	influxlog "github.com/influxdata/influxdb-client-go/v2/log"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// The client prints to the standard logger beside returning each error; we
// say it once, in our own log.
func init() { influxlog.Log = nil }

// InfluxConfig is where a second copy of the readings goes: InfluxDB 2, or
// another server with its write API, as InfluxDB 1.8 (bucket "db/policy",
// no organisation, token "user:password" or none) and VictoriaMetrics.
type InfluxConfig struct {
	URL     string
	Token   string // from a file or the environment, never from the configuration itself
	Org     string
	Bucket  string
	Queue   int           // readings that may wait for the server; the oldest are dropped, and counted
	Batch   int           // readings in one request
	Flush   time.Duration // between requests
	Timeout time.Duration // of one request
	Retry   time.Duration // the longest pause while the server is away
}

// DefaultInflux sends every second. URL and Bucket must be set.
func DefaultInflux() InfluxConfig {
	return InfluxConfig{Queue: 50_000, Batch: 5_000, Flush: time.Second, Timeout: 10 * time.Second, Retry: time.Minute}
}

// Influx sends readings to InfluxDB. Each is a point of the measurement "link"
// with the tags link, end and device, the fields of network.Columns that are
// known, and connected. A request that is cut off may be sent again; the server
// then has the same point twice and keeps one.
type Influx struct {
	cfg   InfluxConfig
	log   *slog.Logger
	queue queue[network.Reading]

	written, rejected, failed atomic.Uint64
}

// NewInflux wires a sink; it connects to nothing.
func NewInflux(cfg InfluxConfig, deps Deps) (*Influx, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fault.New(fault.Invalid, "influx: URL %q: give one like http://127.0.0.1:8086", cfg.URL)
	case u.User != nil:
		return nil, fault.New(fault.Invalid, "influx: the URL of %s has a password in it: give it as the token instead", u.Host)
	case cfg.Bucket == "":
		return nil, fault.New(fault.Invalid, "influx: no bucket given; for InfluxDB 1.8 it is DATABASE/POLICY, as telemetry/autogen")
	case cfg.Queue < 1 || cfg.Batch < 1:
		return nil, fault.New(fault.Invalid, "influx: queue %d and batch %d: both must be at least 1", cfg.Queue, cfg.Batch)
	case cfg.Flush <= 0 || cfg.Timeout < time.Second || cfg.Retry <= 0:
		return nil, fault.New(fault.Invalid, "influx: flush %v, timeout %v, retry %v: all must be more than 0, and the timeout at least 1s", cfg.Flush, cfg.Timeout, cfg.Retry)
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	x := &Influx{cfg: cfg, log: deps.Log}
	x.queue.size = cfg.Queue
	return x, nil
}

// Append queues readings and never waits for the server. When the queue is
// full the oldest readings in it are dropped and counted.
func (x *Influx) Append(_ context.Context, rs []network.Reading) error {
	x.queue.put(rs)
	return nil
}

// InfluxStats counts what became of the readings since the start.
type InfluxStats struct {
	Waiting  uint64
	Written  uint64
	Dropped  uint64 // the queue was full
	Rejected uint64 // the server would not have them
	Failed   uint64 // requests and pings that did not work; their readings wait for the next
}

// Stats counts what became of the readings.
func (x *Influx) Stats() InfluxStats {
	return InfluxStats{uint64(x.queue.len()), x.written.Load(), x.queue.lost(), x.rejected.Load(), x.failed.Load()}
}

// Run sends until ctx ends, and then once more what is left. A server that is
// away is pinged at growing intervals while readings wait.
func (x *Influx) Run(ctx context.Context) error {
	client := influxdb2.NewClientWithOptions(x.cfg.URL, x.cfg.Token, influxdb2.DefaultOptions().
		SetUseGZip(true).SetPrecision(time.Millisecond).SetMaxRetries(0).
		SetHTTPRequestTimeout(uint(x.cfg.Timeout/time.Second)).SetApplicationName("crinale"))
	defer client.Close()
	w := client.WriteAPIBlocking(x.cfg.Org, x.cfg.Bucket)
	var failing spell
	pause := x.cfg.Flush
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := x.flush(last, w); err != nil {
				x.log.Warn("influx: readings are lost with the end of the program", "readings", x.queue.len(), "err", err)
			}
			return nil
		case <-timer.C:
		}
		err := x.try(ctx, client, w, failing.count > 0)
		if ctx.Err() != nil {
			continue
		}
		if err != nil {
			x.failed.Add(1)
		}
		switch failing.note(err) {
		case began:
			x.log.Error("influx does not take readings; they wait in memory", "url", x.cfg.URL, "err", err)
		case ended:
			x.log.Info("influx takes readings again", "url", x.cfg.URL, "failed", failing.last, "dropped", x.queue.lost())
		}
		if pause = x.cfg.Flush; err != nil {
			pause = min(x.cfg.Flush<<min(failing.count, 16), x.cfg.Retry)
		}
		timer.Reset(pause)
	}
}

// try writes, after a ping when the last write failed.
func (x *Influx) try(ctx context.Context, client influxdb2.Client, w api.WriteAPIBlocking, failed bool) error {
	if failed {
		ctx, cancel := context.WithTimeout(ctx, x.cfg.Timeout)
		ok, err := client.Ping(ctx)
		cancel()
		switch {
		case err != nil:
			return fault.New(fault.Unreachable, "influx: ping %s: %w", x.cfg.URL, err)
		case !ok:
			return fault.New(fault.Unreachable, "influx: ping %s: the server says it is not well", x.cfg.URL)
		}
	}
	return x.flush(ctx, w)
}

// flush writes batch after batch until the queue is empty.
func (x *Influx) flush(ctx context.Context, w api.WriteAPIBlocking) error {
	for {
		rs := x.queue.take(x.cfg.Batch)
		if len(rs) == 0 {
			return nil
		}
		points := make([]*write.Point, len(rs))
		for i, r := range rs {
			points[i] = point(r)
		}
		err := w.WritePoint(ctx, points...)
		if err == nil {
			x.written.Add(uint64(len(rs)))
			continue
		}
		if !refused(err) {
			x.queue.back(rs)
			return fmt.Errorf("influx: write to %s: %w", x.cfg.URL, err)
		}
		x.rejected.Add(uint64(len(rs)))
		x.log.Error("influx: the server rejects a batch, which is dropped", "url", x.cfg.URL, "readings", len(rs), "err", err)
	}
}

// refused says that the server will never take this batch. A wrong token, a
// database that is not there yet and a busy server may be mended.
func refused(err error) bool {
	var e *influxhttp.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// point is a reading in InfluxDB's shape.
func point(r network.Reading) *write.Point {
	p := write.NewPointWithMeasurement("link").SetTime(r.At).
		AddTag("link", string(r.Link)).AddTag("end", string(r.End)).
		AddField("connected", r.Connected)
	if r.Device != "" {
		p.AddTag("device", string(r.Device))
	}
	for i, v := range r.Values() {
		if v != nil {
			p.AddField(network.Columns[i], *v)
		}
	}
	return p.SortTags()
}
