package bus

import "testing"

func TestSlowSubscriberLosesOldestAndOthersNothing(t *testing.T) {
	var topic Topic[int]
	slow, fast := topic.Subscribe(2), topic.Subscribe(10)
	for i := 1; i <= 5; i++ {
		topic.Publish(i)
	}
	slow.Close()
	slow.Close()
	fast.Close()
	var got []int
	for v := range slow.C {
		got = append(got, v)
	}
	if len(got) != 2 || got[0] != 4 || got[1] != 5 {
		t.Errorf("slow subscriber kept %v, want the newest two", got)
	}
	if slow.Dropped() != 3 || fast.Dropped() != 0 {
		t.Errorf("dropped %d and %d, want 3 and 0", slow.Dropped(), fast.Dropped())
	}
	n := 0
	for range fast.C {
		n++
	}
	if n != 5 {
		t.Errorf("fast subscriber got %d of 5", n)
	}
	topic.Publish(6) // nobody listens: must not block or panic
}
