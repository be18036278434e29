package edge

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/strict"
)

const rulesText = `writes:
  - {name: report, methods: [PUT], path: "/segnalazioni/{id}", class: create, anonymous: true}
  - {name: offer, methods: [POST], path: /passaggi/offerte, class: create, idempotent: true}
  - {name: pec, methods: [PUT], path: "/pec/bozze/{id}", class: create}
  - {name: meter, methods: [POST], path: /letture, class: append, anonymous: true}
  - {name: position, methods: [POST], path: /posizioni, class: append, source: X-Veicolo, sequence: X-Numero, anonymous: true}
  - {name: file, methods: [PUT, PATCH], path: "/documenti/{rest...}", class: update}
  - {name: attachment, methods: [DELETE], path: "/documenti/{rest...}", class: delete}
  - {name: protocol, methods: [POST], path: /protocollo, class: number}
  - {name: albo, methods: [POST, PUT], path: "/albo/{rest...}", class: number}
  - {name: determination, methods: [POST], path: /determine, class: number}
  - {name: pay, methods: [POST, PUT], path: "/pagamenti/{rest...}", class: refuse, why: money}
  - {name: login, methods: [POST], path: /accesso, class: refuse, why: identity}
  - {name: sign, methods: [POST], path: /firma, class: refuse, why: signature}
  - {name: seat, methods: [POST, PUT], path: "/prenotazioni/{id}", class: refuse, why: time}
  - {name: legacy, methods: [POST], path: "/soap/{rest...}", class: refuse}
  - {name: wide, methods: [POST, PUT], path: "/pagamenti/{id}", class: create, idempotent: true}
  - {name: sealed, methods: [PUT], path: "/sigillati/{id}", class: create, credentials: true, max_body_bytes: 10, expires: 1h}
`

func rules(t testing.TB) WriteRules {
	t.Helper()
	rs, err := ParseWriteRules("edge.yaml", []byte(rulesText))
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

const aUUID = "0b6f2c1e-9d0a-4f7e-8a55-0c1d2e3f4a5b"

// TestEveryRowOfTheTable holds each row of reference/edge.md §3.3, and what lacks
// the precondition of its row, against the decision.
func TestEveryRowOfTheTable(t *testing.T) {
	anna := Person{ID: "anna"}
	const key = `Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"`
	for _, c := range []struct {
		row, method, path string
		header            []string
		who               Person
		change            func(*WriteRequest)
		act               WriteAct
		why               Reason
	}{
		{"create: report", "PUT", "/segnalazioni/" + aUUID, []string{"If-None-Match: *"}, Person{}, nil, QueueWrite, ReasonQueued},
		{"create: PEC draft", "PUT", "/pec/bozze/" + aUUID, []string{"If-None-Match: *"}, anna, nil, QueueWrite, ReasonQueued},
		{"create: nobody known", "PUT", "/pec/bozze/" + aUUID, []string{"If-None-Match: *"}, Person{}, nil, RefuseWrite, ReasonPerson},
		{"create: no condition", "PUT", "/segnalazioni/" + aUUID, nil, anna, nil, RefuseWrite, ReasonNoneMatch},
		{"create: another condition", "PUT", "/segnalazioni/" + aUUID, []string{`If-None-Match: "a"`}, anna, nil, RefuseWrite, ReasonNoneMatch},
		{"create: both conditions", "PUT", "/segnalazioni/" + aUUID, []string{"If-None-Match: *", `If-Match: "a"`}, anna, nil, RefuseWrite, ReasonCondition},
		{"create: an id that others guess", "PUT", "/segnalazioni/42", []string{"If-None-Match: *"}, anna, nil, RefuseWrite, ReasonID},
		{"create: a part", "PUT", "/segnalazioni/" + aUUID, []string{"If-None-Match: *", "Content-Range: bytes 0-1/9"}, anna, nil, RefuseWrite, ReasonPart},
		{"create: offer with a key", "POST", "/passaggi/offerte", []string{key}, anna, nil, QueueWrite, ReasonQueued},
		{"create: bare key", "POST", "/passaggi/offerte", []string{"Idempotency-Key: 8e03978e-40d5"}, anna, nil, QueueWrite, ReasonQueued},
		{"create: short key", "POST", "/passaggi/offerte", []string{"Idempotency-Key: 1"}, anna, nil, RefuseWrite, ReasonBadKey},
		{"create: two keys", "POST", "/passaggi/offerte", []string{key, key}, anna, nil, RefuseWrite, ReasonBadKey},
		{"create: key of the edge", "POST", "/passaggi/offerte", nil, anna, func(q *WriteRequest) { q.NewKey = "made-by-the-edge" }, QueueWrite, ReasonQueued},
		{"create: no key", "POST", "/passaggi/offerte", nil, anna, nil, RefuseWrite, ReasonKey},
		{"append: meter", "POST", "/letture", []string{"Crinale-Source: contatore-7", "Crinale-Sequence: 12"}, Person{}, nil, QueueWrite, ReasonQueued},
		{"append: GPS", "POST", "/posizioni", []string{"X-Veicolo: scuolabus", "X-Numero: 1"}, Person{}, nil, QueueWrite, ReasonQueued},
		{"append: no source", "POST", "/letture", []string{"Crinale-Sequence: 12"}, anna, nil, RefuseWrite, ReasonSource},
		{"append: no number", "POST", "/letture", []string{"Crinale-Source: c"}, anna, nil, RefuseWrite, ReasonSequence},
		{"append: number 0", "POST", "/letture", []string{"Crinale-Source: c", "Crinale-Sequence: 0"}, anna, nil, RefuseWrite, ReasonSequence},
		{"update: office file", "PUT", "/documenti/delibere/bozza.odt", []string{`If-Match: "v1"`}, anna, nil, QueueWrite, ReasonQueued},
		{"update: patch", "PATCH", "/documenti/a", []string{`If-Match: "v1"`}, anna, nil, QueueWrite, ReasonQueued},
		{"update: version that the edge gave", "PUT", "/documenti/a", nil, anna, func(q *WriteRequest) { q.Seen = `"v2"` }, QueueWrite, ReasonQueued},
		{"update: version unknown", "PUT", "/documenti/a", nil, anna, nil, RefuseWrite, ReasonMatch},
		{"update: weak", "PUT", "/documenti/a", []string{`If-Match: W/"v1"`}, anna, nil, RefuseWrite, ReasonWeak},
		{"update: any version", "PUT", "/documenti/a", []string{"If-Match: *"}, anna, nil, RefuseWrite, ReasonMatch},
		{"update: several", "PUT", "/documenti/a", []string{`If-Match: "a", "b"`}, anna, nil, RefuseWrite, ReasonMatch},
		{"update: no ETag", "PUT", "/documenti/a", []string{"If-Match: v1"}, anna, nil, RefuseWrite, ReasonMatch},
		{"update: by clock", "PUT", "/documenti/a", []string{"If-Unmodified-Since: {0s}"}, anna, nil, RefuseWrite, ReasonMatch},
		{"update: too big", "PUT", "/documenti/a", []string{`If-Match: "v1"`}, anna, func(q *WriteRequest) { q.Length = 64<<20 + 1 }, RefuseWrite, ReasonBody},
		{"delete: attachment", "DELETE", "/documenti/a/1", []string{`If-Match: "v1"`}, anna, nil, QueueWrite, ReasonQueued},
		{"delete: version unknown", "DELETE", "/documenti/a/1", nil, anna, nil, RefuseWrite, ReasonMatch},
		{"number: protocol", "POST", "/protocollo", nil, anna, nil, RegisterWrite, ReasonRegister},
		{"number: albo pretorio", "PUT", "/albo/2026/7", nil, anna, nil, RegisterWrite, ReasonRegister},
		{"number: determination", "POST", "/determine", []string{key}, anna, nil, RegisterWrite, ReasonRegister},
		{"money", "POST", "/pagamenti/pagopa", []string{key}, anna, nil, RefuseWrite, ReasonMoney},
		{"money, though a wide rule would keep it", "PUT", "/pagamenti/" + aUUID, []string{"If-None-Match: *"}, anna, nil, RefuseWrite, ReasonMoney},
		{"identity", "POST", "/accesso", []string{key}, anna, nil, RefuseWrite, ReasonIdentity},
		{"signature", "POST", "/firma", []string{key}, anna, nil, RefuseWrite, ReasonSignature},
		{"scarce seat", "PUT", "/prenotazioni/" + aUUID, []string{"If-None-Match: *"}, anna, nil, RefuseWrite, ReasonTime},
		{"legacy SOAP", "POST", "/soap/servizio", []string{key}, anna, nil, RefuseWrite, ReasonUnsupported},
		{"form that no rule names", "POST", "/modulo", []string{key}, anna, nil, RefuseWrite, ReasonNoRule},
		{"method that no rule names", "DELETE", "/segnalazioni/" + aUUID, []string{`If-Match: "a"`}, anna, nil, RefuseWrite, ReasonNoRule},
		{"path read in two ways", "PUT", "/documenti/x%2f..%2f..%2fpagamenti", []string{`If-Match: "v1"`}, anna, nil, RefuseWrite, ReasonNoRule},
		{"path with dots", "PUT", "/documenti/../pagamenti/x", []string{`If-Match: "v1"`}, anna, nil, RefuseWrite, ReasonNoRule},
		{"credentials without a key to seal them", "PUT", "/sigillati/" + aUUID, []string{"If-None-Match: *"}, anna, nil, RefuseWrite, ReasonNoSeal},
		{"credentials sealed", "PUT", "/sigillati/" + aUUID, []string{"If-None-Match: *"}, anna, func(q *WriteRequest) { q.Sealed = true }, QueueWrite, ReasonQueued},
	} {
		q := WriteRequest{Method: c.method, Path: c.path, Header: header(c.header...), Person: c.who}
		if c.change != nil {
			c.change(&q)
		}
		d := DecideWrite(rules(t).Find(c.method, c.path), q)
		if d.Act != c.act || d.Reason != c.why {
			t.Errorf("%s: %v because %s, want %v because %s", c.row, d.Act, d.Reason, c.act, c.why)
			continue
		}
		if safe := d.IfMatch != "" || d.IfNoneMatch != "" || d.Key != ""; safe != (d.Act == QueueWrite) {
			t.Errorf("%s: %v with If-Match %q, If-None-Match %q, key %q", c.row, d.Act, d.IfMatch, d.IfNoneMatch, d.Key)
		}
		if d.Act == QueueWrite && (d.Order == "" || d.Expires <= 0) {
			t.Errorf("%s: it is queued without an order or for ever: %+v", c.row, d)
		}
	}
}

func TestARefusalCountsBeforeAWiderRule(t *testing.T) {
	if r := rules(t).Find("POST", "/pagamenti/x"); r == nil || r.Name != "pay" {
		t.Errorf("found %+v", r)
	}
}

func TestAnEventKeepsItsKey(t *testing.T) {
	q := WriteRequest{Method: "POST", Path: "/letture", Header: header(`Crinale-Source: a"b`, "Crinale-Sequence: 7")}
	d := DecideWrite(rules(t).Find("POST", "/letture"), q)
	if d.Key != `"a\"b/7"` || d.Order != `source a"b` || d.Sequence != 7 || d.Once == "" {
		t.Errorf("%+v", d)
	}
	q.Header.Set("Idempotency-Key", "its-own-key")
	if d = DecideWrite(rules(t).Find("POST", "/letture"), q); d.Key != "its-own-key" {
		t.Errorf("its own key is lost: %+v", d)
	}
}

func TestCredentialsAreNoPartOfWhatIsKept(t *testing.T) {
	h := ReplayHeader(header("Authorization: Bearer x", "Cookie: a=b", "Content-Type: text/plain", "If-Match: *", "Idempotency-Key: k", "X-Forwarded-For: y"))
	if len(h) != 1 || h.Get("Content-Type") != "text/plain" {
		t.Errorf("kept: %v", h)
	}
}

func TestRulesThatAreWrongAreTold(t *testing.T) {
	for _, c := range []struct{ rule, field string }{
		{`{name: a, methods: [PUT], path: /a, class: create}`, "path"},
		{`{name: a, methods: [POST], path: /a, class: create}`, "idempotent"},
		{`{name: a, methods: [GET], path: /a, class: refuse}`, "methods"},
		{`{name: a, methods: [put], path: /a, class: refuse}`, "methods"},
		{`{name: a, methods: [], path: /a, class: refuse}`, "methods"},
		{`{name: a, methods: [POST], path: /a, class: update}`, "methods"},
		{`{name: a, methods: [PUT], path: /a, class: delete}`, "methods"},
		{`{name: a, methods: [PUT], path: a, class: update}`, "path"},
		{`{name: a, methods: [PUT], path: "/a/x{id}", class: update}`, "path"},
		{`{name: a, methods: [PUT], path: "/{x}/{x}", class: update}`, "path"},
		{`{name: a, methods: [PUT], path: "/{x...}/b", class: update}`, "path"},
		{`{name: a, methods: [PUT], path: /a, class: money}`, "class"},
		{`{name: a, methods: [PUT], path: /a, class: refuse, why: fun}`, "why"},
		{`{name: a, methods: [PUT], path: /a, class: update, why: money}`, "why"},
		{`{name: a, methods: [PUT], path: /a, class: update, max_body_bytes: -1}`, "max_body_bytes"},
		{`{name: a, methods: [PUT], path: /a, class: update, expires: 9999h}`, "expires"},
		{`{name: a, methods: [PUT], path: /a, class: append, sequence: "a b"}`, "sequence"},
		{`{name: a, methods: [PUT], path: /a, class: append, source: X, sequence: x}`, "sequence"},
		{`{name: a, methods: [PUT], path: /a, class: update, colour: red}`, "colour"},
	} {
		_, err := ParseWriteRules("edge.yaml", []byte("writes:\n  - "+c.rule+"\n"))
		ps, ok := strict.All(err)
		if !ok || !slices.ContainsFunc(ps, func(p strict.Problem) bool { return p.Line == 2 && strings.HasSuffix(p.Field, c.field) }) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	if _, err := ParseWriteRules("edge.yaml", []byte("writes:\n  - {name: a, methods: [PUT], path: /a, class: update}\n  - {name: a, methods: [PUT], path: /b, class: update}\n")); err == nil {
		t.Error("two rules have one name")
	}
}

func TestLimitsOfTheRuleAndOfTheClass(t *testing.T) {
	rs := rules(t)
	if r := rs[len(rs)-1]; r.MaxBody != 10 || r.Expires != time.Hour {
		t.Errorf("of the rule: %d bytes, %v", r.MaxBody, r.Expires)
	}
	if r := rs.Find("DELETE", "/documenti/a"); r.Expires != 7*24*time.Hour {
		t.Errorf("of the class: %v", r.Expires)
	}
}

func TestEveryReasonAndStateHasWords(t *testing.T) {
	for r, w := range reasons {
		if w.It == "" || w.En == "" {
			t.Errorf("%s has no words in a language", r)
		}
	}
	for _, r := range whys {
		if _, ok := reasons[r]; !ok {
			t.Errorf("%s has no words", r)
		}
	}
	for s, w := range states {
		if w.It == "" || w.En == "" || !s.Known() {
			t.Errorf("state %s has no words", s)
		}
	}
	if Reason("nonsense").Words() != reasons[ReasonNoRule] || State("nonsense").Known() {
		t.Error("an unknown one has words of its own")
	}
}

func FuzzWriteRules(f *testing.F) {
	f.Add([]byte(rulesText), "PUT", "/segnalazioni/"+aUUID, "a", "*", "k", "1")
	f.Add([]byte("writes:\n  - {name: a, methods: [PUT], path: \"/{x...}\", class: append}\n"), "PUT", "/%2e%2e/a", `"v"`, "", `"a\"`, "-1")
	f.Fuzz(func(t *testing.T, data []byte, method, path, match, none, key, seq string) {
		rs, err := ParseWriteRules("f", data)
		if err != nil {
			return
		}
		q := WriteRequest{Method: method, Path: path, Person: Person{ID: "x"}, Header: http.Header{
			"If-Match": {match}, "If-None-Match": {none}, "Idempotency-Key": {key}, "Crinale-Source": {key}, "Crinale-Sequence": {seq}}}
		for _, drop := range []string{"", "If-Match", "If-None-Match", "Idempotency-Key"} {
			q.Header.Del(drop)
			d := DecideWrite(rs.Find(method, path), q)
			if d.Act == QueueWrite && d.IfMatch == "" && d.IfNoneMatch == "" && d.Key == "" {
				t.Errorf("queued with nothing that keeps it from being done twice: %+v", d)
			}
			if d.Act == QueueWrite && (strings.ContainsAny(d.Key, "\r\n") || strings.ContainsAny(d.IfMatch, "\r\n")) {
				t.Errorf("a line break would be sent: %+v", d)
			}
		}
	})
}
