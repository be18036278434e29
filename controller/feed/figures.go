package feed

// Figures are counts of the feed since its start.
type Figures struct {
	Connected bool   // to the broker, at this moment
	Retained  int    // topics that are to be retained: links, alerts, sites, status
	Waiting   int    // of the retained messages, those that wait for the broker
	Flying    int    // sent, not acknowledged yet
	Queued    int    // samples that wait
	Published uint64 // retained messages, and clearings, that the broker acknowledged
	Again     uint64 // retained messages that were not acknowledged; they were sent again or overtaken
	Samples   uint64 // samples sent
	Dropped   uint64 // samples that found no room or no broker
	Missed    uint64 // news of the controller that the feed was too slow to take
}

// Figures gives the counts of this moment.
func (f *Feed) Figures() Figures {
	n := f.board.figures()
	n.Missed = f.missed.Load()
	return n
}

func (b *board) figures() Figures {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.count
	n.Connected, n.Queued = b.online, len(b.samples)
	for _, s := range b.slots {
		n.Waiting += len(s.queue)
		if s.flying != nil {
			n.Flying++
		}
		if s.last != nil {
			n.Retained++
		}
	}
	return n
}
