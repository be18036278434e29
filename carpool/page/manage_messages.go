package page

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// GivenUp is a message that no try delivered. It names who should have had it
// by no more than the name of the notice.
type GivenUp struct {
	ID    string
	Queue string
	Tries int
	Error string
	Added time.Time
}

// Messages are those that were given up: look, try again, or drop.
type Messages interface {
	List(ctx context.Context) ([]GivenUp, error)
	Retry(ctx context.Context, id string) error
	Drop(ctx context.Context, id string) error
}

const messagesPath = managePath + "/messaggi"

type messageRow struct {
	GivenUp
	URL string
}

type messagesView struct {
	Done string
	Rows []messageRow
}

func (s *Staff) messages() (Messages, error) {
	if s.deps.Messages == nil {
		return nil, fault.New(fault.NotFound, "this server shows no messages")
	}
	return s.deps.Messages, nil
}

func (s *Staff) messagesPage(w http.ResponseWriter, r *http.Request) error {
	box, err := s.messages()
	if err != nil {
		return err
	}
	list, err := box.List(r.Context())
	if err != nil {
		return err
	}
	v := messagesView{Done: s.of(r).known("manage.done." + r.URL.Query().Get("fatto"))}
	for _, m := range list {
		v.Rows = append(v.Rows, messageRow{m, messagesPath + "/" + url.PathEscape(m.ID)})
	}
	return s.managed(w, r, http.StatusOK, "manage-messages.html", "manage.messages.title", v)
}

// onMessage does something to a message; one that is gone has been seen to.
func (s *Staff) onMessage(done string, do func(m Messages, ctx context.Context, id string) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		box, err := s.messages()
		if err != nil {
			return err
		}
		if _, err := s.form(r, "once"); err != nil {
			return err
		}
		if err := do(box, r.Context(), r.PathValue("id")); err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		return seeOther(w, r, messagesPath+"?fatto="+done)
	}
}
