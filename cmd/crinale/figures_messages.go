package main

import (
	"context"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/metrics"
	"github.com/crinale/crinale/internal/outbox"
)

// figuresWithin is how long a scrape waits for the database; a figure that is
// not known by then is left out.
const figuresWithin = 5 * time.Second

// messageFigures are of the outbox, of what the portal's messages came to, and
// of the desk's call list. Their labels are names of queues and ways, never of
// people.
func (s *server) messageFigures() {
	if s.notify == nil {
		return
	}
	queues := func(each func(name string, q outbox.QueueFigures, now time.Time)) {
		ctx, cancel := context.WithTimeout(context.Background(), figuresWithin)
		defer cancel()
		if f, err := s.outbox.Figures(ctx); err == nil {
			for name, q := range f.Queues {
				each(name, q, time.Now())
			}
		}
	}
	s.metrics.GaugeFunc("crinale_outbox_messages", "Messages of the outbox that wait for their delivery, or were given up and wait for somebody to look.", []string{"queue", "state"}, func(emit metrics.Emit) {
		queues(func(name string, q outbox.QueueFigures, _ time.Time) {
			emit(float64(q.Waiting), name, "waiting")
			emit(float64(q.GivenUp), name, "given-up")
		})
	})
	s.metrics.GaugeFunc("crinale_outbox_oldest_seconds", "Age of the oldest message of the outbox that waits; 0 where none does.", []string{"queue"}, func(emit metrics.Emit) {
		queues(func(name string, q outbox.QueueFigures, now time.Time) {
			age := 0.0
			if !q.Oldest.IsZero() {
				age = max(0, now.Sub(q.Oldest).Seconds())
			}
			emit(age, name)
		})
	})
	s.metrics.CounterFunc("crinale_outbox_deliveries_total", "Tries to deliver a message of the outbox by what became of them.", []string{"queue", "result"}, func(emit metrics.Emit) {
		queues(func(name string, q outbox.QueueFigures, _ time.Time) {
			emit(float64(q.Delivered), name, "delivered")
			emit(float64(q.Failed), name, "failed")
		})
	})
	s.metrics.CounterFunc("crinale_messages_total", "Messages to people by the way they took and what became of them; what failed went on to the next way, in the end to the desk's call list (voce).", []string{"channel", "result"}, func(emit metrics.Emit) {
		by, _ := s.notify.Counts()
		for c, b := range by {
			emit(float64(b.Sent), string(c), "sent")
			emit(float64(b.Failed), string(c), "failed")
		}
	})
	s.metrics.CounterFunc("crinale_sms_received_total", "Short messages that came in by what became of them: taken, from a number that nobody has, failed (and brought again), or refused for a wrong key.", []string{"result"}, func(emit metrics.Emit) {
		_, h := s.notify.Counts()
		emit(float64(h.Taken), "taken")
		emit(float64(h.Nobody), "nobody")
		emit(float64(h.Failed), "failed")
		emit(float64(h.Refused), "refused")
	})
	calls := func(each func(f carpool.CallFigures, now time.Time)) {
		ctx, cancel := context.WithTimeout(context.Background(), figuresWithin)
		defer cancel()
		if f, err := s.carpool.Desk.CallFigures(ctx); err == nil {
			each(f, time.Now())
		}
	}
	s.metrics.GaugeFunc("crinale_calls", "Tasks of the desk's call list: due now, to be tried later, or taken by an operator.", []string{"state"}, func(emit metrics.Emit) {
		calls(func(f carpool.CallFigures, _ time.Time) {
			emit(float64(f.Due), "due")
			emit(float64(f.Later), "later")
			emit(float64(f.Taken), "taken")
		})
	})
	s.metrics.GaugeFunc("crinale_calls_late_seconds", "By how much the most urgent task of the desk's call list is late; 0 where none is.", nil, func(emit metrics.Emit) {
		calls(func(f carpool.CallFigures, now time.Time) {
			late := 0.0
			if !f.Oldest.IsZero() {
				late = max(0, now.Sub(f.Oldest).Seconds())
			}
			emit(late)
		})
	})
}
