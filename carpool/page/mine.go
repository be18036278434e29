package page

func (p *Pages) mine(v *visit) error       { return nil }
func (p *Pages) booking(v *visit) error    { return nil }
func (p *Pages) cancelPage(v *visit) error { return nil }
func (p *Pages) act(v *visit) error        { return nil }
func (p *Pages) cancel(v *visit) error     { return nil }
func (p *Pages) sayTo(v *visit) error      { return nil }
func (p *Pages) report(v *visit) error     { return nil }
func (p *Pages) block(v *visit) error      { return nil }
func (p *Pages) actRequest(v *visit) error { return nil }
func (p *Pages) watch(v *visit) error      { return nil }
func (p *Pages) unwatch(v *visit) error    { return nil }

type Talk interface{}
