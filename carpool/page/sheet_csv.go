package page

import (
	"bytes"
	"encoding/csv"
	"io"
	"net/http"
	"strings"
)

// cell is a text as a spreadsheet must read it: one that it would take for a
// formula, or that hides one behind blanks, begins with an apostrophe.
func csvCell(v string) string {
	v = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ").Replace(v)
	if at := strings.TrimLeft(v, " \u00a0\u3000"); at != "" && strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(at)[0]) {
		return "'" + v
	}
	return v
}

// writeCSV writes rows with semicolons between, as spreadsheets of this
// country open them, and the mark that says UTF-8.
func writeCSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, v := range row {
			safe[i] = csvCell(v)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// asCSV answers with a table that a browser saves under a name.
func asCSV(w http.ResponseWriter, name string, rows [][]string) error {
	var b bytes.Buffer
	if err := writeCSV(&b, rows); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // the peer may have gone
	return nil
}
