package edge

import (
	"reflect"
	"strings"
	"testing"
)

func there(n int64) Delta { return Delta{n, true} }

func TestCacheControl(t *testing.T) {
	for field, want := range map[string]Directives{
		"":                                     {},
		"max-age=60":                           {MaxAge: there(60)},
		"MAX-AGE=60, Public":                   {MaxAge: there(60), Public: true},
		` , ,max-age="60" ,, no-store`:         {MaxAge: there(60), NoStore: true},
		"max-age=060":                          {MaxAge: there(60)},
		"max-age=1, max-age=9":                 {MaxAge: there(1)},
		"max-age=9\nmax-age=1, s-maxage=3":     {MaxAge: there(9), SMaxAge: there(3)},
		"max-age=99999999999999999999":         {MaxAge: there(mostSeconds)},
		"max-age=2147483649":                   {MaxAge: there(mostSeconds)},
		"max-age=-1":                           {MaxAge: there(0)},
		"max-age=1.5":                          {MaxAge: there(0)},
		"max-age='60'":                         {MaxAge: there(0)},
		"max-age=a60":                          {MaxAge: there(0)},
		"max-age":                              {MaxAge: there(0)},
		"max-age=":                             {MaxAge: there(0)},
		`max-age="6"0`:                         {MaxAge: there(0)},
		`x="max-age=60", max-age=1`:            {MaxAge: there(1)},
		`x="no-store"`:                         {},
		`x="a\", no-store, \"", max-age=1`:     {MaxAge: there(1)},
		`x="open, no-store, max-age=60`:        {NoStore: true, MaxAge: there(60)},
		"no-cache":                             {NoCache: true},
		`no-cache="Set-Cookie, x-a"`:           {NoCacheFields: []string{"Set-Cookie", "X-A"}},
		`no-cache=""`:                          {NoCache: true},
		`no-cache="a b"`:                       {NoCache: true},
		`private="*"`:                          {Private: true},
		`private=set-cookie, private`:          {Private: true, PrivateFields: []string{"Set-Cookie"}},
		"max-stale, min-fresh=5":               {MaxStale: there(mostSeconds), MinFresh: there(5)},
		"max-stale=7":                          {MaxStale: there(7)},
		"no-store=1":                           {NoStore: true},
		"must-revalidate,proxy-revalidate":     {MustRevalidate: true, ProxyRevalidate: true},
		"must-understand, no-store":            {MustUnderstand: true, NoStore: true},
		"stale-while-revalidate=5, immutable":  {StaleWhileRevalidate: there(5), Immutable: true},
		"stale-if-error=600, no-transform":     {StaleIfError: there(600), NoTransform: true},
		"only-if-cached, nonsense, x=y, =, ,=": {OnlyIfCached: true},
	} {
		lines := strings.Split(field, "\n")
		got := ParseCacheControl(lines)
		if got.Any() != (field != "") {
			t.Errorf("%q: any %v", field, got.Any())
		}
		got.any = false
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", field, got, want)
		}
	}
}

func TestTargetedFields(t *testing.T) {
	for field, want := range map[string]Directives{
		"max-age=60":                              {MaxAge: there(60)},
		"max-age=60, max-age=9":                   {MaxAge: there(9)},
		"max-age=60;x=1;y, no-store":              {MaxAge: there(60), NoStore: true},
		"no-store=?0, max-age=1":                  {MaxAge: there(1)},
		"no-store=0":                              {NoStore: true},
		"max-age=1.5":                             {MaxAge: there(0)},
		`max-age="60"`:                            {MaxAge: there(0)},
		"max-age=-1":                              {MaxAge: there(0)},
		"max-age=99999999999":                     {MaxAge: there(mostSeconds)},
		`no-cache="a, b"`:                         {NoCacheFields: []string{"A", "B"}},
		"no-cache=a":                              {NoCache: true},
		"private=?0":                              {},
		"x=(1 2 \"a\";b tok:en/x);c, public":      {Public: true},
		"x=:aGk=:, y=@17, z=%\"a\", *k=a, public": {Public: true},
		"max-age=1\nno-store":                     {MaxAge: there(1), NoStore: true},
	} {
		got, ok := ParseTargeted(strings.Split(field, "\n"))
		if got.any = false; !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\n got %+v\nwant %+v", field, ok, got, want)
		}
	}
	for _, field := range []string{
		"max-age =60", "max-age= 60", "MAX-AGE=60", "max-age=60,", ",max-age=60", "max-age=60 no-store", "max-age=1234567890123456",
		`x="a`, "x=(1", "x=(1,2)", "x=:a", "x=?2", "x=@1.5", "x=1.2345", "x=1.", "x=-", "x=é", "x;=1", "x=", `x="\a"`, "x=;", "x=(1\t2)",
	} {
		if got, ok := ParseTargeted([]string{field}); ok {
			t.Errorf("%q is read as %+v", field, got)
		}
	}
	if d, ok := ParseTargeted([]string{""}); !ok || d.Any() {
		t.Errorf("an empty field: %+v, %v", d, ok)
	}
}

func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{"max-age=60, no-store", `private="a,b", x="\"`, `"`, "=,=", `no-cache="`, "max-stale"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := ParseCacheControl([]string{s})
		for _, delta := range []Delta{d.MaxAge, d.SMaxAge, d.MinFresh, d.MaxStale, d.StaleIfError, d.StaleWhileRevalidate} {
			if delta.Seconds < 0 || delta.Seconds > mostSeconds || !delta.There && delta.Seconds != 0 {
				t.Errorf("%q: %+v", s, d)
			}
		}
		// A prohibition that stands by itself is never lost to what follows it.
		if !ParseCacheControl([]string{"no-store, " + s}).NoStore || !ParseCacheControl([]string{"no-store", s}).NoStore {
			t.Errorf("no-store is lost before %q", s)
		}
		if d, ok := ParseTargeted([]string{s}); ok && (d.MaxAge.Seconds < 0 || d.MaxAge.Seconds > mostSeconds) {
			t.Errorf("%q as a target field: %+v", s, d)
		}
	})
}
