package feed

import (
	"fmt"
	"testing"
	"time"
)

func says(s string) payload { return func(time.Time) []byte { return []byte(s) } }

func TestStateIsOvertakenAlertIsNot(t *testing.T) {
	b := newBoard(1)
	for i := range 5 {
		b.put("state", says(fmt.Sprint("s", i)))
	}
	b.push("alert", says("open"))
	b.push("alert", nil)
	var got []string
	for {
		topic, body, ok := b.next(noon)
		if !ok {
			break
		}
		got = append(got, topic+"="+string(body))
		b.done(topic, true)
	}
	if fmt.Sprint(got) != "[alert=open state=s4 alert=]" && fmt.Sprint(got) != "[alert=open alert= state=s4]" {
		t.Errorf("sent %v", got)
	}
	if b.holds("alert") || !b.holds("state") || len(b.slots) != 1 {
		t.Errorf("holds %v", b.slots)
	}
}

func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	b := newBoard(1)
	b.push("alert", says("open"))
	b.put("old", says("1"))
	b.put("same", says("1"))
	for range 3 {
		b.next(noon)
	}
	b.put("old", says("2")) // overtaken while under way
	b.push("alert", nil)
	if _, _, ok := b.next(noon); ok {
		t.Fatal("two messages of one topic under way at once")
	}
	for _, topic := range []string{"alert", "old", "same"} {
		b.done(topic, false)
	}
	got := map[string]string{}
	for {
		topic, body, ok := b.next(noon)
		if !ok {
			break
		}
		got[topic] += "[" + string(body) + "]"
		b.done(topic, true)
	}
	if got["alert"] != "[open][]" || got["old"] != "[2]" || got["same"] != "[1]" {
		t.Errorf("sent again: %v", got)
	}
}

func TestNewConnectionSendsAllThatIsRetained(t *testing.T) {
	b := newBoard(1)
	b.put("state", says("s"))
	b.push("alert", says("open"))
	b.push("gone", says("open"))
	b.push("gone", nil)
	drain(b, noon)
	b.connected()
	topics, bodies := drain(b, noon)
	if fmt.Sprint(topics) != "[alert state]" || bodies["alert"] != "open" {
		t.Errorf("sent again: %v", bodies)
	}
}

func TestSamplesKeepTheNewest(t *testing.T) {
	b := newBoard(3)
	b.sample("t", []byte("offline"))
	b.connected()
	for i := range 10 {
		b.sample("t", fmt.Append(nil, i))
	}
	var got string
	for s, ok := b.nextSample(); ok; s, ok = b.nextSample() {
		got += string(s.body)
	}
	if got != "789" || b.figures().Dropped != 8 {
		t.Errorf("kept %s, dropped %d", got, b.figures().Dropped)
	}
	b.sample("t", []byte("x"))
	b.disconnected()
	if _, ok := b.nextSample(); ok || b.figures().Dropped != 9 {
		t.Error("a sample outlived its connection")
	}
}

// A flapping link and no broker for long: what opened and closed meanwhile is
// forgotten at last, what is open never.
func TestBacklogOfAlertsIsBounded(t *testing.T) {
	b := newBoard(1)
	b.push("open", says("open"))
	for i := range 3 * backlog {
		topic := fmt.Sprint("a", i)
		b.push(topic, says("open"))
		b.push(topic, nil)
	}
	if len(b.slots) > backlog+1 {
		t.Errorf("%d topics wait", len(b.slots))
	}
	topics, _ := drain(b, noon)
	if len(topics) > 2*(backlog+1) || !b.holds("open") {
		t.Errorf("%d messages", len(topics))
	}
}

// What is repeated waits behind what is new, and gives way to news of its own
// topic.
func TestRepeatsWaitBehindNews(t *testing.T) {
	b := newBoard(1)
	b.connected()
	b.push("open", says("open"))
	b.push("closes", says("open"))
	b.push("under-way", says("open"))
	b.put("state", says("s"))
	b.next(noon)
	b.next(noon)
	b.next(noon)
	b.done("open", true)
	b.done("closes", true)
	later := noon.Add(time.Minute)
	b.repeat(later, time.Minute, func(string) bool { return true })
	b.repeat(later, time.Minute, func(string) bool { return true })
	b.push("new", says("open"))
	b.push("closes", nil)
	var got []string
	for {
		topic, body, ok := b.next(later)
		if !ok {
			break
		}
		got = append(got, topic+"="+string(body))
		b.done(topic, true)
	}
	if fmt.Sprint(got) != "[new=open closes= state=s open=open]" {
		t.Errorf("sent %v", got)
	}
	b.repeat(later.Add(time.Minute), time.Minute, func(topic string) bool { return topic == "new" })
	b.disconnected()
	b.connected()
	if topic, _, _ := b.next(later); topic == "state" {
		t.Error("after a new connection an alert waits behind a state")
	}
}
