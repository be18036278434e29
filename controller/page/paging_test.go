package page_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"testing"
)

// TestListsInPages goes through every list in pages of every size and finds
// each item once, in one order.
func TestListsInPages(t *testing.T) {
	w := newWorld(t, shared)
	link := regexp.MustCompile(`^<(.+)>; rel="next"$`)
	for _, list := range []struct {
		target, key string
		want        int
	}{
		{"/api/v1/links?", "links", 11}, {"/api/v1/devices?", "devices", 20}, {"/api/v1/sites?", "sites", 10}, {"/api/v1/alerts?open=false&", "alerts", 4},
	} {
		var whole []string
		for limit := 1; limit <= list.want+1; limit++ {
			var ids []string
			seen := map[string]bool{}
			target := list.target + "limit=" + strconv.Itoa(limit)
			for target != "" {
				rec := w.get(target)
				var body map[string]json.RawMessage
				var items []struct{ ID string }
				var next *string
				if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
					t.Fatalf("%s: %d %v", target, rec.Code, err)
				}
				if err := json.Unmarshal(body[list.key], &items); err != nil || len(items) > limit {
					t.Fatalf("%s: %d items, %v", target, len(items), err)
				}
				if err := json.Unmarshal(body["next"], &next); err != nil {
					t.Fatalf("%s: next: %v", target, err)
				}
				for _, i := range items {
					if seen[i.ID] {
						t.Errorf("%s: %s comes twice", target, i.ID)
					}
					seen[i.ID] = true
					ids = append(ids, i.ID)
				}
				m := link.FindStringSubmatch(rec.Header().Get("Link"))
				if (next == nil) != (m == nil) {
					t.Fatalf("%s: next is %v, and the header %q", target, next, rec.Header().Get("Link"))
				}
				target = ""
				if m != nil {
					target = m[1]
					if u, err := url.Parse(target); err != nil || u.Query().Get("after") != *next {
						t.Fatalf("the header names %s, the body %s", target, *next)
					}
				}
			}
			if len(ids) != list.want {
				t.Errorf("%s by %d: %d items, want %d", list.key, limit, len(ids), list.want)
			}
			if whole == nil {
				whole = ids
			}
			for i := range min(len(ids), len(whole)) {
				if ids[i] != whole[i] {
					t.Errorf("%s by %d: another order", list.key, limit)
				}
			}
		}
		if list.key == "alerts" && (whole[0] != "a3" || whole[3] != "a4") {
			t.Errorf("alerts are not the newest first: %v", whole)
		}
	}
}
