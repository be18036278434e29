package sim

// items are the ids that a word means: those found, or those of names, each of
// which must be there.
func (c *console) items(s statement, m *menu, a argumentWord) ([]string, error) {
	if a.find != nil {
		return c.find(m, *a.find)
	}
	if m.rows == nil {
		return nil, trapCommand
	}
	rows := c.dev.rowsOf(m)
	one := func(ref string) (string, bool) {
		for _, it := range rows {
			id, _ := it.get(".id")
			if name, ok := it.get("name"); ok && name == ref || id == ref && ref != "" {
				return id, true
			}
		}
		return "", false
	}
	if id, ok := one(a.value); ok {
		return []string{id}, nil
	}
	var out []string
	for _, ref := range splitList(a.value) {
		id, ok := one(ref)
		if !ok {
			return nil, trapItem
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, trapItem
	}
	return out, nil
}

// find gives the ids of the rows for which all conditions hold. A property that
// a row has not is empty.
func (c *console) find(m *menu, s statement) ([]string, error) {
	inner := &console{dev: c.dev, path: m.path}
	fm, _, verb, conds, err := inner.resolve(s)
	if err != nil {
		return nil, err
	}
	if verb != "find" || fm == nil || fm.rows == nil {
		return nil, &scriptError{s.line, "only find is simulated in [ ]"}
	}
	for i, a := range conds {
		if word := a.value; a.name == "" && a.bare && (i == 0 && word == "where" || i > 0 && (word == "and" || word == "&&")) {
			continue
		}
		if a.name == "" {
			return nil, &scriptError{s.line, "only name=value is simulated after find"}
		}
	}
	var out []string
	for _, it := range c.dev.rowsOf(fm) {
		fits := true
		for _, a := range conds {
			v, _ := it.get(a.name)
			fits = fits && (a.name == "" || same(v, a.value))
		}
		if id, ok := it.get(".id"); ok && fits {
			out = append(out, id)
		}
	}
	return out, nil
}
