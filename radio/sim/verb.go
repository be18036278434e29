package sim

// writing is the function of a verb that changes a device; nil for others.
func writing(verb string) func(d *device, m *menu, c command) (item, *trap) {
	switch verb {
	case "set":
		return set
	case "add":
		return add
	case "remove":
		return remove
	case "unset":
		return unset
	case "comment":
		return setComment
	case "enable":
		return func(d *device, m *menu, c command) (item, *trap) { return able(d, m, c, "false") }
	case "disable":
		return func(d *device, m *menu, c command) (item, *trap) { return able(d, m, c, "true") }
	case "reboot":
		return reboot
	}
	return nil
}

// write runs a command that changes the device, from wherever it came.
func (d *device) write(m *menu, verb string, c command, readOnly bool) (item, *trap) {
	do := writing(verb)
	if do == nil {
		return nil, trapCommand
	}
	if readOnly {
		return nil, trapRights
	}
	if m.gate != nil {
		d.fleet.mu.Lock()
		t := m.gate(d, verb)
		d.fleet.mu.Unlock()
		if t != nil {
			return nil, t
		}
	}
	return do(d, m, c)
}
