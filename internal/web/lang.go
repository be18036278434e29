package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Lang is a language of the pages.
type Lang string

const (
	Italian Lang = "it"
	English Lang = "en"
)

// Langs are the languages of the pages, the first is the default.
var Langs = []Lang{Italian, English}

const langCookie = "lang"

// LangOf is the language for a request: ?lang=, then the cookie that ?lang=
// left, then Accept-Language, then Italian.
func LangOf(r *http.Request) Lang {
	if l := Lang(r.URL.Query().Get("lang")); slices.Contains(Langs, l) {
		return l
	}
	if c, err := r.Cookie(langCookie); err == nil && slices.Contains(Langs, Lang(c.Value)) {
		return Lang(c.Value)
	}
	best, weight := Langs[0], 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, param, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(param), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if q > weight && slices.Contains(Langs, Lang(primary)) {
			best, weight = Lang(primary), q
		}
	}
	return best
}

// remember keeps a language chosen by ?lang=.
func remember(w http.ResponseWriter, r *http.Request, l Lang) {
	if r.URL.Query().Get("lang") == string(l) {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: string(l), Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

// Words are the texts of one language by key.
type Words map[string]string

// Catalog is the texts of all languages.
type Catalog map[Lang]Words

// ReadCatalog reads it.json and en.json, and beside each as many files
// it-PART.json as there are. Both languages must have the same keys, and each
// pair the same verbs in the same order; no key stands in two files.
func ReadCatalog(fsys fs.FS) (Catalog, error) {
	c := Catalog{}
	for _, l := range Langs {
		more, err := fs.Glob(fsys, string(l)+"-*.json")
		if err != nil {
			return nil, fmt.Errorf("read words: %w", err)
		}
		c[l] = Words{}
		for _, name := range append([]string{string(l) + ".json"}, more...) {
			if err := c[l].read(fsys, name); err != nil {
				return nil, err
			}
		}
	}
	first := c[Langs[0]]
	for _, l := range Langs[1:] {
		for _, key := range slices.Sorted(maps.Keys(c[l])) {
			if _, ok := first[key]; !ok {
				return nil, fmt.Errorf("words %s.json: %q is not in %s.json", l, key, Langs[0])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(first)) {
			text, ok := c[l][key]
			if !ok {
				return nil, fmt.Errorf("words %s.json: %q is missing", l, key)
			}
			if verbs(text) != verbs(first[key]) {
				return nil, fmt.Errorf("words %s.json: %q has other verbs than in %s.json", l, key, Langs[0])
			}
		}
	}
	return c, nil
}

// read adds the words of a file.
func (w Words) read(fsys fs.FS, name string) error {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("read words: %w", err)
	}
	part := Words{}
	if err := json.Unmarshal(b, &part); err != nil {
		return fmt.Errorf("read words %s: %w", name, err)
	}
	for key, text := range part {
		if _, twice := w[key]; twice {
			return fmt.Errorf("read words %s: %q stands in another file too", name, key)
		}
		w[key] = text
	}
	return nil
}

// verbs are the letters of the formatting verbs of a text, in order.
func verbs(text string) string {
	var b strings.Builder
	for i := 0; i < len(text)-1; i++ {
		if text[i] == '%' {
			i++
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// Text is the words of a key, with its arguments; the key itself when there
// are none, so that a missing word is seen.
func (c Catalog) Text(l Lang, key string, args ...any) string {
	text, ok := c[l][key]
	if !ok {
		return key
	}
	if len(args) > 0 {
		return fmt.Sprintf(text, args...)
	}
	return text
}

// Has says whether there are words for a key.
func (c Catalog) Has(key string) bool {
	_, ok := c[Langs[0]][key]
	return ok
}

// Number prints v with the decimal mark and thousands of the language.
func Number(l Lang, v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	point, group := ".", ","
	if l == Italian {
		point, group = ",", "."
	}
	if len(whole) > 4 { // 1234 stays, 12.345 is grouped
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + group + whole[i:]
		}
	}
	if frac != "" {
		whole += point + frac
	}
	if neg && strings.Trim(s, "0.") != "" {
		whole = "\u2212" + whole
	}
	return whole
}
