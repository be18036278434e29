package page

func (p *Pages) mountAPI() error { return nil }
