package page

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// The pictures of a form with papers, by field.
var pictureFields = map[string]carpool.PictureKind{"foto-patente": carpool.PictureLicence, "foto-assicurazione": carpool.PictureInsurance, "foto-revisione": carpool.PictureRoadworthy}

// paperBlame says which fields an error about papers is about.
var paperBlame = map[string]string{"licence": "patente", "insurance": "assicurazione", "roadworthiness": "revisione", "consent": "consenso"}

// papers is POST /passaggi/auto/documenti: dates and pictures to the Polizia
// Locale. Pictures go to the portal and nowhere else.
func (p *Pages) papers(v *visit) error {
	body, err := pace(v)
	if err != nil {
		return err
	}
	end, err := p.placeToRead(v, body)
	if end == nil {
		return err
	}
	defer end()
	f, pictures, err := p.readPapers(v)
	if err != nil {
		return err
	}
	papers := carpool.Check{Licence: f.date("patente"), Insurance: f.date("assicurazione"), Roadworthy: f.date("revisione")}
	for _, name := range []string{"patente", "assicurazione", "revisione"} {
		if f.raw(name) == "" {
			f.bad(name, "pool.wrong.empty")
		}
	}
	if !f.on("consenso") {
		f.bad("consenso", "pool.wrong.check")
	}
	fail := func(status int, why *trouble) error {
		return p.showCars(v, status, v.blank("posti-auto", "3"), f, why)
	}
	if !f.ok() {
		return fail(http.StatusBadRequest, nil)
	}
	_, err = p.sendOnce(v, f, func() (string, error) {
		if _, err := p.deps.Members.Consent(v.r.Context(), v.by, v.me.ID, carpool.ConsentCheck, "page"); err != nil {
			return "", err
		}
		_, err := p.deps.Trust.Ask(v.r.Context(), v.by, carpool.VehicleID(f.raw("veicolo")), papers, pictures)
		return carsPath, err
	})
	switch {
	case err == nil:
		return v.done(carsPath, "documenti")
	case mendable(err):
		f.blame(err, paperBlame)
		return fail(web.Status(err), v.say.trouble(err))
	}
	return err
}

// readPapers reads the form part by part; no file is written.
func (p *Pages) readPapers(v *visit) (*filled, []carpool.Picture, error) {
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "papers: want Content-Type: multipart/form-data")
	}
	values := url.Values{}
	var pictures []carpool.Picture
	tooBig := ""
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, badUpload(err)
		}
		if n >= 20 {
			return nil, nil, fault.New(fault.Invalid, "papers: more parts than the form has")
		}
		kind, isPicture := pictureFields[part.FormName()]
		most := int64(4 << 10)
		if isPicture {
			most = p.cfg.Picture
		}
		b, over, err := readPart(part, most)
		switch {
		case err != nil:
			return nil, nil, badUpload(err)
		case over && isPicture:
			tooBig = part.FormName()
		case over:
			return nil, nil, fault.New(fault.Invalid, "papers: field %.40q is too long", part.FormName())
		case !isPicture:
			values.Add(part.FormName(), string(b))
		case len(b) > 0:
			pictures = append(pictures, carpool.Picture{Kind: kind, Media: http.DetectContentType(b), Data: b})
		}
	}
	f, err := v.fill(values, []string{"veicolo", "patente", "assicurazione", "revisione", "consenso", "volta", "per"})
	if err == nil && tooBig != "" {
		f.bad(tooBig, "pool.wrong.picture", int(p.cfg.Picture>>20))
	}
	return f, pictures, err
}

func readPart(part *multipart.Part, most int64) (b []byte, over bool, err error) {
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(part, most+1))
	if err != nil || n <= most {
		return buf.Bytes(), false, err
	}
	_, err = io.Copy(io.Discard, part)
	return nil, true, err
}

// badUpload keeps the kind of a body that was too big.
func badUpload(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return err
	}
	return fault.New(fault.Invalid, "papers: %w", err)
}
