package web

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// AuditLog is the log of who did what, as the pages read it; *audit.Log meets
// it.
type AuditLog interface {
	List(ctx context.Context, q audit.Query) ([]audit.Line, error)
	Verify(ctx context.Context) (audit.Report, error)
	Export(ctx context.Context, w io.Writer) error
}

var _ AuditLog = (*audit.Log)(nil)

const (
	logLines    = 50               // on a page
	logLimit    = 500              // of an answer of the API, as audit gives at most
	logPatience = 10 * time.Minute // to send all of the log
)

const logAPI = `{"paths": {
  "/api/v1/audit": {"get": {"operationId": "audit", "summary": "The log of who did what, newest lines first",
    "parameters": [{"name": "who", "in": "query", "description": "only what this account did", "schema": {"type": "string"}},
      {"name": "object", "in": "query", "description": "only what was done to this", "schema": {"type": "string"}},
      {"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/After"}],
    "responses": {"200": {"description": "Lines", "content": {"application/json": {"schema": {"type": "object", "required": ["lines", "next"],
      "properties": {"lines": {"type": "array", "items": {"$ref": "#/components/schemas/AuditLine"}}, "next": {"type": ["string", "null"]}}}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}},
  "/api/v1/audit/verify": {"get": {"operationId": "auditVerify", "summary": "Hold every line against the chain",
    "responses": {"200": {"description": "What was found; problem is null when all is right", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AuditReport"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}},
  "/api/v1/audit/export": {"get": {"operationId": "auditExport", "summary": "The whole log, oldest first, one JSON object a line",
    "responses": {"200": {"description": "Lines of JSON", "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/AuditLine"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}}},
 "components": {"schemas": {
  "AuditLine": {"type": "object", "required": ["seq", "at", "who", "via", "from", "action", "object", "detail", "prev", "hash"],
    "properties": {"seq": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}, "who": {"type": "string"}, "via": {"type": "string"},
      "from": {"type": "string"}, "action": {"type": "string"}, "object": {"type": "string"},
      "detail": {"type": "object", "additionalProperties": {"type": "string"}}, "prev": {"type": "string"}, "hash": {"type": "string"}}},
  "AuditReport": {"type": "object", "required": ["lines", "seq", "hash", "problem"],
    "properties": {"lines": {"type": "integer"}, "seq": {"type": "integer"}, "hash": {"type": "string"},
      "problem": {"type": ["object", "null"]}}}}}}`

// mountLog puts the page of the log and its API on the shell.
func (s *Shell) mountLog() error {
	access := NeedsUnion(login.ReadAudit)
	s.Enter(Entry{Path: "/registro", Title: s.own.Texts("log.title"), Summary: s.own.Texts("log.summary"), Order: 910, Staff: true, Access: access})
	s.Handle("GET /registro", access, s.Func(s.logPage))
	return s.API([]byte(logAPI), map[string]Route{
		"GET /api/v1/audit":        {access, s.Taking(s.apiLog, Paged("who", "object")...)},
		"GET /api/v1/audit/verify": {access, s.Taking(s.apiVerify)},
		"GET /api/v1/audit/export": {access, s.Taking(s.apiExport)},
	})
}

func (s *Shell) apiLog(w http.ResponseWriter, r *http.Request) error {
	limit, after, err := Asked(r)
	if err != nil {
		return err
	}
	q := audit.Query{Limit: min(limit, logLimit), Who: r.URL.Query().Get("who"), Object: r.URL.Query().Get("object")}
	if q.Before, err = lineNumber(after, "after"); err != nil {
		return err
	}
	lines, err := s.audit.List(r.Context(), q)
	if err != nil {
		return err
	}
	return JSON(w, r, struct {
		Lines []audit.Line `json:"lines"`
		Next  *string      `json:"next"`
	}{append([]audit.Line{}, lines...), Next(w, r, older(lines, q.Limit))})
}

// older is the number that the lines after these are asked by, "" when these
// were the last.
func older(lines []audit.Line, limit int) string {
	if len(lines) < limit || lines[len(lines)-1].Seq <= 1 {
		return ""
	}
	return strconv.FormatInt(lines[len(lines)-1].Seq, 10)
}

func lineNumber(text, name string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "%s=%q: want the number of a line, 1 or more", name, text)
	}
	return n, nil
}

func (s *Shell) apiVerify(w http.ResponseWriter, r *http.Request) error {
	report, err := s.audit.Verify(r.Context())
	if err != nil {
		return err
	}
	return JSON(w, r, report)
}

func (s *Shell) apiExport(w http.ResponseWriter, r *http.Request) error {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(logPatience)) // a test's recorder has none
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Content-Disposition", `attachment; filename="crinale-audit.jsonl"`)
	h.Set("Cache-Control", "no-store")
	out := &beginning{ResponseWriter: w}
	err := s.audit.Export(r.Context(), out)
	if err == nil {
		return nil
	}
	if out.status == 0 {
		h.Del("Content-Disposition")
		return err
	}
	s.log.Error("web: export of the log cut off", "error", err)
	panic(http.ErrAbortHandler) // a cut answer must look cut
}

// logView is what the page of the log shows.
type logView struct {
	Lines       []logLine
	Who, Object string
	Older       string // address of the lines before these
	Report      *logReport
}

type logLine struct {
	audit.Line
	Detail string // "key: value · key: value"
	From   string // address and way
}

type logReport struct {
	Whole        bool
	Text, Detail string
}

func (s *Shell) logPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	before, err := lineNumber(q.Get("prima"), "prima")
	if err != nil {
		return err
	}
	v := logView{Who: strings.TrimSpace(q.Get("chi")), Object: strings.TrimSpace(q.Get("cosa"))}
	lines, err := s.audit.List(r.Context(), audit.Query{Before: before, Limit: logLines, Who: v.Who, Object: v.Object})
	if err != nil {
		return err
	}
	for _, l := range lines {
		v.Lines = append(v.Lines, logLine{Line: l, Detail: pairs(l.Detail), From: strings.Trim(l.From+" · "+l.Via, " ·")})
	}
	if o := older(lines, logLines); o != "" {
		v.Older = "/registro?" + url.Values{"chi": {v.Who}, "cosa": {v.Object}, "prima": {o}}.Encode()
	}
	if q.Get("verifica") != "" {
		report, err := s.audit.Verify(r.Context())
		if err != nil {
			return err
		}
		l := LangOf(r)
		v.Report = &logReport{Whole: report.OK(), Text: s.own.Text(l, "log.whole", Number(l, float64(report.Lines), 0))}
		if p := report.Problem; p != nil {
			v.Report.Text, v.Report.Detail = s.own.Text(l, "log.broken"), p.Text
		}
	}
	return s.own.Write(w, r, "log.html", View{Title: "log.title", Nav: "/registro", Data: v})
}

// pairs writes a detail on one line, by key.
func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+": "+m[k])
	}
	return strings.Join(out, " · ")
}
