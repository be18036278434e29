package carpool

import (
	"context"
	"log/slog"
	"time"
)

// roundEvery is between two looks at what is due; papersEvery at what changes by
// the day.
const (
	roundEvery  = time.Minute
	papersEvery = time.Hour
)

// rounds are what time alone brings about. Each may be done again and again,
// and takes up what a crash left.
func (p *Portal) rounds() []round {
	return []round{
		{"bookings", roundEvery, p.Bookings.Round},
		{"papers", papersEvery, p.Trust.Round},
		{"retention", papersEvery, p.Privacy.Round},
		{"figures", papersEvery, p.FiguresRound},
	}
}

type round struct {
	name  string
	every time.Duration
	do    func(context.Context) error
}

// Run does what is due, at once and then each minute, until ctx ends.
func (p *Portal) Run(ctx context.Context) error {
	rounds := p.rounds()
	next, broken := make([]time.Time, len(rounds)), make([]bool, len(rounds))
	tick := time.NewTicker(roundEvery)
	defer tick.Stop()
	for {
		for i, r := range rounds {
			if now := time.Now(); !now.Before(next[i]) {
				next[i] = now.Add(r.every - roundEvery/2)
				err := r.do(ctx)
				if ctx.Err() != nil {
					return nil
				}
				broken[i] = logTrouble(p.deps.Log, r.name, broken[i], err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// logTrouble logs when a trouble begins and when it ends.
func logTrouble(log *slog.Logger, name string, before bool, err error) bool {
	switch {
	case err != nil && !before:
		log.Error("carpool: what is due waits", "round", name, "err", err)
	case err == nil && before:
		log.Info("carpool: what is due is done again", "round", name)
	}
	return err != nil
}
