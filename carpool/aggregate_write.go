package carpool

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the rows of some months as CSV (RFC 4180), with the names of
// comuni beside their codes. A name that a spreadsheet would take for a formula
// is written as a text.
func WriteCSV(w io.Writer, months []Aggregates, comuni map[string]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := [][]string{{"month", "from_istat", "from_name", "to_istat", "to_name", "weekday", "band", "rides", "seats", "riders"}}
	for _, m := range months {
		for _, r := range m.Rows {
			rows = append(rows, []string{m.Month, Unformula(r.From), Unformula(comuni[r.From]), Unformula(r.To), Unformula(comuni[r.To]),
				r.Weekday, r.Band, strconv.Itoa(r.Rides), strconv.Itoa(r.Seats), strconv.Itoa(r.Riders)})
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write monthly figures: %w", err)
	}
	return nil
}

// Unformula is a text that no spreadsheet takes for a formula: one that begins
// like a formula gets an apostrophe before it, as OWASP advises against CSV
// injection.
func Unformula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// Publication says who publishes the figures and where, for their description.
type Publication struct {
	Title     string // "Passaggi nell'Alta Langa"
	Publisher string // name of the union
	IPA       string // its code in the index of public administrations
	Base      string // address under which csv, json and gtfs.zip are had, without a slash at the end
	Email     string // of who answers questions
	Modified  Date
	Licence   string // URI; "": CC BY 4.0
}

// WriteJSON writes some months with their description as a dataset.
func WriteJSON(w io.Writer, months []Aggregates, about Publication) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{"dataset": about.Dataset(months), "months": months}); err != nil {
		return fmt.Errorf("write monthly figures: %w", err)
	}
	return nil
}

// Dataset is the description of the figures in DCAT-AP_IT (v1.0, AgID), as
// JSON-LD: with the properties that the profile wants of a dataset and of its
// distributions.
func (p Publication) Dataset(months []Aggregates) map[string]any {
	const (
		authority = "http://publications.europa.eu/resource/authority/"
		licence   = "http://creativecommons.org/licenses/by/4.0/"
	)
	uri := func(s string) map[string]any { return map[string]any{"@id": s} }
	text := func(s string) map[string]any { return map[string]any{"@value": s, "@language": "it"} }
	day := func(s string) map[string]any { return map[string]any{"@value": s, "@type": "xsd:date"} }
	holder := map[string]any{"@id": p.Base + "#ente", "@type": []string{"dcatapit:Agent", "foaf:Agent"}, "dct:identifier": p.IPA, "foaf:name": text(p.Publisher)}
	use := p.Licence
	if use == "" {
		use = licence
	}
	distribution := func(name, format, title string) map[string]any {
		return map[string]any{"@id": p.Base + "/" + name, "@type": []string{"dcatapit:Distribution", "dcat:Distribution"}, "dct:title": text(title),
			"dct:format": uri(authority + "file-type/" + format), "dcat:accessURL": uri(p.Base + "/" + name), "dcat:downloadURL": uri(p.Base + "/" + name),
			"dct:license": map[string]any{"@id": use, "@type": []string{"dcatapit:LicenseDocument", "dct:LicenseDocument"},
				"dct:type": uri("http://purl.org/adms/licencetype/Attribution"), "foaf:name": "CC BY 4.0"},
			"dct:modified": day(string(p.Modified))}
	}
	set := map[string]any{
		"@context": map[string]any{"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "dcatapit": "http://dati.gov.it/onto/dcatapit#",
			"foaf": "http://xmlns.com/foaf/0.1/", "xsd": "http://www.w3.org/2001/XMLSchema#", "vcard": "http://www.w3.org/2006/vcard/ns#"},
		"@id": p.Base + "#dati", "@type": []string{"dcatapit:Dataset", "dcat:Dataset"},
		"dct:identifier": p.IPA + ":passaggi", "dct:title": text(p.Title),
		"dct:description": text(fmt.Sprintf("Passaggi in auto completati, per mese, comuni di partenza e di arrivo, giorno della settimana e fascia oraria. "+
			"Ogni riga riguarda almeno %d persone e %d viaggi; ciò che è più piccolo è unito in righe con *.", AggregateK, AggregateK)),
		"dct:modified": day(string(p.Modified)), "dcat:theme": uri(authority + "data-theme/TRAN"),
		"dct:rightsHolder": holder, "dct:publisher": holder, "dct:accrualPeriodicity": uri(authority + "frequency/MONTHLY"),
		"dct:language": uri(authority + "language/ITA"), "dcat:keyword": []any{text("mobilità"), text("car pooling"), text("trasporti")},
		"dcat:distribution": []any{distribution("passaggi.csv", "CSV", "Passaggi per mese (CSV)"), distribution("passaggi.json", "JSON", "Passaggi per mese (JSON)"),
			distribution("gtfs.zip", "ZIP", "Passaggi offerti nei prossimi 31 giorni (GTFS)")},
	}
	if p.Email != "" {
		set["dcat:contactPoint"] = map[string]any{"@type": []string{"dcatapit:Organization", "vcard:Organization"}, "vcard:fn": p.Publisher, "vcard:hasEmail": uri("mailto:" + p.Email)}
	}
	if len(months) > 0 {
		first, last := months[0].Month, months[0].Month
		for _, m := range months {
			first, last = min(first, m.Month), max(last, m.Month)
		}
		end := Date(last + "-01").Plus(31)
		set["dct:temporal"] = map[string]any{"@type": []string{"dcatapit:PeriodOfTime", "dct:PeriodOfTime"},
			"dcatapit:startDate": day(first + "-01"), "dcatapit:endDate": day(string(Date(string(end)[:7] + "-01").Plus(-1)))}
	}
	return set
}
