package page

import "strings"

// faultWords are the errors of the portal that residents can meet, by a part
// that no other has; the first that fits counts.
var faultWords = []struct{ part, key string }{
	{"plate: write it as it stands", "plate"},
	{"fiscal code: sixteen", "fiscal"},
	{"App IO", "io"},
	{"phone: write the number with", "phone"},
	{"e-mail: write it as", "email"},
	{"phone: another member has", "phone-taken"},
	{"you have changed your number", "numbers"},
	{"signs in to another account", "alias-taken"},
	{"phone of the trusted person: write it", "trusted"},
	{"cannot reach you with what you have given", "channel"},
	{"the way home is still ahead", "way-home"},
	{"you are the guardian of a minor", "guards"},
	{" minor ", "minor"},
	{": it ran out on ", "ran-out"},
	{"nothing is valid until", "too-long"},
	{"you have sent papers", "sent-often"},
	{"has not looked at your papers", "not-looked"},
	{"must look at your licence", "papers"},
	{"runs out on", "runs-out"},
	{"suspended", "suspended"},
	{"this is your own ride", "own-ride"},
	{"you cancelled", "cancelled-often"},
	{"there is no seat left", "full"},
	{"there is no room left", "full"},
	{"not there any more", "gone"},
	{"look again", "changed"},
	{"the time to answer has passed", "late"},
	{"it is too early to board", "early"},
	{"the lift has not begun", "not-begun"},
	{"the lift is not over", "not-over"},
	{"its time is over", "over"},
	{"the rider is not aboard", "not-aboard"},
	{"its rider is aboard", "say-stopped"},
	{"they are on the road", "stopped"},
	{"an offer of yours counts on", "counted"},
	{"call that ride off first", "call-off"},
	{"after the agreed time", "wait"},
	{"on this day already", "many"},
	{"lifts since yesterday", "many-asked"},
	{"not a neighbour's lift", "many-rides"},
	{"you drive another ride at that time", "busy"},
	{"no journey of this offer lies ahead", "no-day"},
	{"this car cannot carry that", "carries"},
	{"seats: this car has", "seats"},
	{"more than each rider's share", "share"},
	{"no road is known", "no-road"},
	{"too many messages", "messages"},
	{"you cannot write to this person", "no-writing"},
	{"is under way", "aboard"},
	{"has ended", "ended"},
	{"changed by others at this moment", "retry"},
	{"is not yours", "not-yours"},
	{"already", "already"},
}

// fault says an error of the portal in the words of the page; "" for one that
// the pages have no words for.
func (t tongue) fault(err error) string {
	said := err.Error()
	for _, w := range faultWords {
		if strings.Contains(said, w.part) {
			return t.word("pool.fault." + w.key)
		}
	}
	return ""
}
