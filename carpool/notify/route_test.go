package notify

import (
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"pgregory.net/rapid"
)

func TestOrderOfChannels(t *testing.T) {
	all := func(carpool.Channel) bool { return true }
	mail, io, sms, voice := carpool.ByMail, carpool.ByIO, carpool.BySMS, carpool.ByVoice
	for name, c := range map[string]struct {
		change func(*carpool.NoticeView)
		have   func(carpool.Channel) bool
		want   []carpool.Channel
	}{
		"as wished, the desk last":   {nil, all, []carpool.Channel{sms, mail, io, voice}},
		"nothing wired but mail":     {nil, func(c carpool.Channel) bool { return c == mail }, []carpool.Channel{mail, voice}},
		"a landline takes no SMS":    {func(v *carpool.NoticeView) { v.Reach.Landline = true }, all, []carpool.Channel{mail, io, voice}},
		"no address":                 {func(v *carpool.NoticeView) { v.Reach.Email = "" }, all, []carpool.Channel{sms, io, voice}},
		"App IO not without consent": {func(v *carpool.NoticeView) { v.IO = false }, all, []carpool.Channel{sms, mail, voice}},
		"App IO not without code":    {func(v *carpool.NoticeView) { v.Reach.Fiscal = "" }, all, []carpool.Channel{sms, mail, voice}},
		"voice first is voice alone": {func(v *carpool.NoticeView) { v.Reach.Channels = []carpool.Channel{voice, sms} }, all, []carpool.Channel{voice}},
		"nothing said":               {func(v *carpool.NoticeView) { v.Reach.Channels = nil }, all, []carpool.Channel{sms, mail, voice}},
		"nothing at all":             {func(v *carpool.NoticeView) { v.Reach = carpool.Member{} }, all, []carpool.Channel{voice}},
		"twice the same":             {func(v *carpool.NoticeView) { v.Reach.Channels = []carpool.Channel{mail, mail} }, all, []carpool.Channel{mail, voice}},
		"unknown":                    {func(v *carpool.NoticeView) { v.Reach.Channels = []carpool.Channel{"pigeon", mail} }, all, []carpool.Channel{mail, voice}},
		"trusted by a mobile":        {func(v *carpool.NoticeView) { v.Trusted, v.To.Trusted.Phone = true, "+393339999999" }, all, []carpool.Channel{sms, voice}},
		"trusted at home":            {func(v *carpool.NoticeView) { v.Trusted, v.To.Trusted.Phone = true, "+390173123456" }, all, []carpool.Channel{voice}},
	} {
		v := accepted("n", person("m-1", sms, mail, io))
		if c.change != nil {
			c.change(&v)
		}
		if got := plan(v, c.have); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPatienceEndsBeforeANoticeIsDue(t *testing.T) {
	cfg := Default()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ due, want time.Duration }{
		{0, 2 * time.Hour}, {24 * time.Hour, 2 * time.Hour}, {2 * time.Hour, time.Hour}, {time.Hour, 5 * time.Minute}, {-time.Hour, 5 * time.Minute},
	} {
		due := time.Time{}
		if c.due != 0 {
			due = at.Add(c.due)
		}
		if got := patience(at, due, cfg).Sub(at); got != c.want {
			t.Errorf("due in %v: %v, want %v", c.due, got, c.want)
		}
	}
}

// Whatever fails, each channel is taken once and the voice is the last.
func TestEveryOrderEndsWithTheVoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := accepted("n", person("m-1", rapid.SliceOf(rapid.SampledFrom(append([]carpool.Channel{"pigeon"}, channels...))).Draw(t, "wish")...))
		v.IO, v.Reach.Landline = rapid.Bool().Draw(t, "io"), rapid.Bool().Draw(t, "landline")
		order := plan(v, func(carpool.Channel) bool { return rapid.Bool().Draw(t, "have") })
		tried := map[carpool.Channel]bool{}
		var last carpool.Channel
		for {
			c, ok := next(order, func(c carpool.Channel) bool { return tried[c] })
			if !ok {
				break
			}
			if tried[c] {
				t.Fatalf("%s twice", c)
			}
			tried[c], last = true, c
		}
		if last != carpool.ByVoice || len(tried) != len(order) {
			t.Fatalf("order %v ended with %s", order, last)
		}
	})
}
