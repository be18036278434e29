package feed

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// asyncapi is the document, and a validator of the few words of JSON Schema
// that it uses.
type asyncapi map[string]any

func readAsyncapi(t *testing.T) asyncapi {
	t.Helper()
	raw, err := os.ReadFile("../../docs/reference/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func (d asyncapi) at(ref string) map[string]any {
	node := map[string]any(d)
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		next, ok := node[part].(map[string]any)
		if !ok {
			panic("the document has no " + ref)
		}
		node = next
	}
	if to, ok := node["$ref"].(string); ok {
		return d.at(to)
	}
	return node
}

// whole is a schema with its references and parts put together.
func (d asyncapi) whole(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		return d.whole(d.at(ref))
	}
	parts, ok := schema["allOf"].([]any)
	if !ok {
		return schema
	}
	sum := map[string]any{"type": "object"}
	props, required := map[string]any{}, []any{}
	for _, p := range parts {
		w := d.whole(p.(map[string]any))
		maps.Copy(props, w["properties"].(map[string]any))
		required = append(required, w["required"].([]any)...)
	}
	sum["properties"], sum["required"] = props, required
	return sum
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// check says what of v the schema does not foresee.
func (d asyncapi) check(path string, schema map[string]any, v any) (wrong []string) {
	schema = d.whole(schema)
	if kinds, ok := schema["oneOf"].([]any); ok {
		var all []string
		for _, k := range kinds {
			w := d.check(path, k.(map[string]any), v)
			if len(w) == 0 {
				return nil
			}
			all = append(all, w...)
		}
		return all
	}
	kind := map[bool]string{true: "null"}[v == nil]
	switch v.(type) {
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "boolean"
	case []any:
		kind = "array"
	case map[string]any:
		kind = "object"
	}
	types, ok := schema["type"].([]any)
	if !ok {
		types = []any{schema["type"]}
	}
	if !slices.Contains(types, any(kind)) {
		return []string{fmt.Sprintf("%s is %s, the document says %v", path, kind, types)}
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, the document knows %v", path, v, enum))
	}
	switch v := v.(type) {
	case string:
		if schema["format"] == "date-time" && !rfc3339.MatchString(v) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not RFC 3339 in UTC", path, v))
		}
	case []any:
		for i, e := range v {
			wrong = append(wrong, d.check(fmt.Sprintf("%s[%d]", path, i), schema["items"].(map[string]any), e)...)
		}
	case map[string]any:
		wrong = append(wrong, d.checkObject(path, schema, v)...)
	}
	return wrong
}

func (d asyncapi) checkObject(path string, schema, v map[string]any) (wrong []string) {
	props, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	more, open := schema["additionalProperties"].(map[string]any)
	if n, ok := schema["maxProperties"].(int); ok && len(v) > n {
		wrong = append(wrong, fmt.Sprintf("%s has %d keys", path, len(v)))
	}
	for key, val := range v {
		p, ok := props[key].(map[string]any)
		if !ok && open {
			p, ok = more, true
		}
		if !ok {
			wrong = append(wrong, path+"."+key+" is not in the document")
			continue
		}
		wrong = append(wrong, d.check(path+"."+key, p, val)...)
	}
	for key := range props {
		if _, ok := v[key]; !ok {
			wrong = append(wrong, path+"."+key+" is in the document but was not published")
		}
		if !slices.Contains(required, any(key)) {
			wrong = append(wrong, path+"."+key+" is always published, so the document must require it")
		}
	}
	return wrong
}

// Everything that leaves the board, with all values known and with none, must
// be as the document says, and the document must say nothing else.
func TestMessagesAreAsTheDocumentSays(t *testing.T) {
	doc := readAsyncapi(t)
	full := network.Reading{Link: "la", End: network.EndA, Device: "bric-1", At: noon, Connected: true}
	one := 1.25
	full.SetValues([12]*float64{&one, &one, &one, &one, &one, &one, &one, &one, &one, &one, &one, &one})
	other := full
	other.End, other.Device = network.EndB, "colle-1"
	state := network.LinkState{Link: "la", Status: network.StatusDegraded, Since: noon, At: noon, A: &full, B: &other,
		Capacity: unit.Some(unit.Mbps(80)), Planned: unit.Some(unit.DBm(-58)), Alerts: []string{"weak-la"}}

	b := newBoard(10)
	b.connected()
	w := newWatcher(Default(), ridge(), b)
	alert := weak("la", "weak-la", noon)
	alert.Device, alert.Port, alert.Expected = "bric-1", "ether1", controller.Figure{Key: "signal_dbm", Value: -65}
	var open []controller.Alert
	for k, kind := range []controller.Kind{controller.LinkDown, controller.WeakSignal, controller.LowCapacity, controller.EthernetRenegotiated, controller.DeviceRebooted, controller.DeviceUnreachable} {
		a := alert
		a.ID, a.Kind = fmt.Sprint("a-", k), kind
		open = append(open, a)
	}
	bare := controller.Alert{ID: "bare", Kind: controller.DeviceRebooted, Severity: controller.Notice, Device: "bric-1", Opened: noon}
	w.begin(noon, []network.LinkState{state}, append(open, bare))
	w.reading(full)
	w.reading(network.Reading{Link: "la", End: network.EndB, Device: "colle-1", At: noon})

	h := newHalls(Default(), controller.DefaultRules(), ridge(), b)
	h.state(noon, network.LinkState{Link: "both", Status: network.StatusUp})
	h.state(noon, state)
	h.enrolled(noon, []controller.EdgeNews{{ID: "full", Device: "colle-1", Head: 2, Orders: []controller.EdgeOrder{{Seq: 1, At: noon, Kind: controller.PurgeTag, What: "albo"}, {Seq: 2, At: noon, Kind: controller.PurgeAll}}}, {ID: "bare", Device: "nowhere"}})

	addresses := map[string]map[string]any{} // pattern of the topic → schema
	for name := range doc.at("#/channels") {
		channel := doc.at("#/channels/" + name)
		pattern := "^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(channel["address"].(string), "[a-z0-9-]+") + "$"
		for message := range channel["messages"].(map[string]any) {
			addresses[pattern] = doc.at("#/channels/" + name + "/messages/" + message)["payload"].(map[string]any)
		}
	}
	seen := map[string]bool{}
	verify := func(topic string, body []byte) {
		t.Helper()
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
		found := false
		for pattern, schema := range addresses {
			if regexp.MustCompile(pattern).MatchString(topic) {
				found, seen[pattern] = true, true
				for _, wrong := range doc.check("payload", schema, v) {
					t.Errorf("%s: %s", topic, wrong)
				}
			}
		}
		if !found {
			t.Errorf("%s is not in the document", topic)
		}
	}
	for topic, body, ok := b.next(noon); ok; topic, body, ok = b.next(noon) {
		verify(topic, body)
		b.done(topic, true)
	}
	for s, ok := b.nextSample(); ok; s, ok = b.nextSample() {
		verify(s.topic, s.body)
	}
	verify(StatusTopic, marshal(Status{"online", when(noon)}))
	verify(StatusTopic, marshal(Status{Status: "offline"}))
	if len(seen) != len(addresses) || len(addresses) != 7 {
		t.Errorf("%d of %d channels of the document were published", len(seen), len(addresses))
	}
}

// The keys of a sample are the columns of the history.
func TestQuantitiesAreTheColumns(t *testing.T) {
	var m map[string]any
	if err := json.Unmarshal(marshal(quantities(network.Reading{})), &m); err != nil {
		t.Fatal(err)
	}
	keys := slices.Sorted(maps.Keys(m))
	columns := slices.Clone(network.Columns[:])
	slices.Sort(columns)
	if !slices.Equal(keys, columns) {
		t.Errorf("keys %v, columns %v", keys, columns)
	}
	v := 7.0
	for i, name := range network.Columns {
		var r network.Reading
		var vs [12]*float64
		vs[i] = &v
		r.SetValues(vs)
		m := map[string]any{}
		if err := json.Unmarshal(marshal(quantities(r)), &m); err != nil || m[name] != 7.0 {
			t.Errorf("%s: %v", name, m)
		}
	}
}
