package routeros

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// round is one round of reads of one device. Once err is set the connection
// is gone and every further read is a no-op.
type round struct {
	ctx context.Context
	cfg Config
	s   *session
	now time.Time
	obs network.Observation

	err      error
	answered int   // menus that answered
	trouble  error // the first refusal
	warnings map[string]string
	meters   map[string]sample // of this round, for the next
}

func newRound(ctx context.Context, c Config, s *session) *round {
	s.memory.ready()
	return &round{ctx: ctx, cfg: c, s: s, now: time.Now(), warnings: map[string]string{}, meters: map[string]sample{}}
}

// observe reads all and fills the observation.
func (r *round) observe() (network.Observation, error) {
	r.obs.Device = r.s.target.Device
	r.obs.At = r.now
	r.resource()
	r.interfaces()
	r.wireless()
	r.wifi()
	r.w60g()
	r.identity()
	r.health()
	r.neighbours()
	if r.err == nil && r.answered == 0 { // it refused every single menu
		r.err = r.trouble
	}
	if r.err != nil {
		return network.Observation{}, r.err
	}
	r.single()
	r.s.meters = r.meters
	for k, w := range r.s.refused {
		r.warnings[k] = w
	}
	for k, w := range r.warnings {
		r.obs.Warnings = append(r.obs.Warnings, k+": "+w)
	}
	slices.Sort(r.obs.Warnings)
	return r.obs, nil
}

// ask runs one command. A trap comes back beside the rows; trouble with the
// connection ends the round.
func (r *round) ask(command, props string, args ...string) (rows []row, refused *trap, ok bool) {
	if r.err != nil {
		return nil, nil, false
	}
	rows, err := r.s.conn.run(r.ctx, command, append(args, "=.proplist="+props)...)
	if err == nil {
		r.answered++
		return rows, nil, true
	}
	if refused = asTrap(err); refused == nil {
		r.err = err
	} else if r.trouble == nil {
		r.trouble = err
	}
	return nil, refused, false
}

// read asks a menu that is read every round. ok is false when it gave nothing
// that can be used; then there is a warning, or the round is over.
func (r *round) read(command, props string, args ...string) (rows []row, ok bool) {
	rows, refused, ok := r.ask(command, props, args...)
	if refused != nil {
		r.warnings[command] = refused.Error()
	}
	return rows, ok
}

// slowly asks a menu when it is due. That it does not exist is remembered and
// is no warning; any other refusal stands until it is asked again.
func (r *round) slowly(command, props string, every time.Duration) (rows []row, ok bool) {
	m := &r.s.memory
	if r.err != nil || m.absent[command] || r.now.Before(m.due[command]) && (every != r.cfg.SlowEvery || r.now.After(r.s.unsettled)) {
		return nil, false
	}
	rows, refused, ok := r.ask(command, props)
	if r.err != nil {
		return nil, false
	}
	delete(m.refused, command)
	switch {
	case refused == nil:
	case refused.absent():
		m.absent[command] = true
	default:
		m.refused[command] = refused.Error()
	}
	m.done(command, r.now, every)
	return rows, ok
}

// resource reads uptime and version; a new version or a smaller uptime means
// that nothing remembered holds any more.
func (r *round) resource() {
	rows, ok := r.read("/system/resource/print", "uptime,version,cpu-load,board-name,architecture-name")
	if !ok || len(rows) == 0 {
		return
	}
	v := rows[0]
	r.obs.Version = text(v["version"])
	r.obs.Board = text(v["board-name"])
	r.obs.Arch = text(v["architecture-name"])
	r.obs.CPU = percent(v["cpu-load"])
	r.obs.Uptime = duration(v["uptime"])
	up := float64(r.obs.Uptime.Or(0))
	if r.obs.Version != r.s.version || r.obs.Uptime.Known() && up < r.s.uptime {
		r.s.forget()
		r.s.ready()
	}
	r.s.version, r.s.uptime = r.obs.Version, up
}

func (r *round) identity() {
	if rows, ok := r.slowly("/system/identity/print", "name", r.cfg.SlowEvery); ok && len(rows) > 0 {
		r.s.memory.identity = text(rows[0]["name"])
	}
	r.obs.Identity = r.s.memory.identity
}

func (r *round) neighbours() {
	const props = "interface,interface-name,address,address4,mac-address,identity,platform,version,board"
	if rows, ok := r.slowly("/ip/neighbor/print", props, r.cfg.SlowEvery); ok {
		found := make([]network.Neighbour, 0, len(rows))
		for _, v := range rows {
			n := network.Neighbour{
				Interface: text(v["interface"]), Address: text(v["address"]), MAC: hardware(v["mac-address"]),
				Identity: text(v["identity"]), Platform: text(v["platform"]), Version: text(v["version"]), Board: text(v["board"]),
			}
			if n.Address == "" {
				n.Address = text(v["address4"])
			}
			found = append(found, n)
		}
		r.s.memory.neighbours = found
	}
	r.obs.Neighbours = slices.Clone(r.s.memory.neighbours)
}

// health is supply and temperature as last read.
type health struct {
	volts   unit.Opt[network.Volts]
	celsius unit.Opt[network.Celsius]
}

// health reads supply and temperature: one row of properties in version 6,
// one row per sensor in version 7.
func (r *round) health() {
	const props = "name,value,type,voltage,temperature,cpu-temperature,board-temperature1,psu1-voltage,poe-in-voltage"
	if rows, ok := r.slowly("/system/health/print", props, r.cfg.HealthEvery); ok {
		r.s.memory.volts = parseHealth(rows)
	}
	r.obs.Voltage, r.obs.Celsius = r.s.memory.volts.volts, r.s.memory.volts.celsius
}

// parseHealth takes the sensors by name, the board's own before the others.
func parseHealth(rows []row) health {
	sensors := row{}
	for _, v := range rows {
		if name, ok := v["name"]; ok {
			sensors[name] = v["value"]
			continue
		}
		for k, x := range v {
			sensors[k] = x
		}
	}
	var h health
	for _, k := range [...]string{"voltage", "psu1-voltage", "poe-in-voltage"} {
		if h.volts = voltage(sensors[k]); h.volts.Known() {
			break
		}
	}
	for _, k := range [...]string{"temperature", "board-temperature1", "cpu-temperature"} {
		if h.celsius = celsius(sensors[k]); h.celsius.Known() {
			break
		}
	}
	return h
}
