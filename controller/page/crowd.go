package page

import "sync"

// crowd counts the event streams of each person.
type crowd struct {
	mu sync.Mutex
	of map[string]int
}

// enter takes one more for a person; false when they have most already.
func (c *crowd) enter(person string, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[person] >= most {
		return false
	}
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[person]++
	return true
}

func (c *crowd) leave(person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[person]--; c.of[person] <= 0 {
		delete(c.of, person)
	}
}
