package page_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// sending is a form with pictures on its way.
type sending struct {
	body   *io.PipeWriter
	form   *multipart.Writer
	answer chan got
}

// begins sends the fields of a form with papers and leaves it open.
func (v *visitor) begins(car carpool.VehicleID) *sending {
	v.w.t.Helper()
	from, to := io.Pipe()
	s := &sending{body: to, form: multipart.NewWriter(to), answer: make(chan got, 1)}
	r, err := http.NewRequest("POST", v.w.URL+"/passaggi/auto/documenti", from)
	must(v.w.t, err)
	r.Header.Set("Content-Type", s.form.FormDataContentType())
	r.Header.Set("Origin", v.w.URL)
	client := *v.http
	client.Timeout = 5 * time.Minute // thirty of them share a slow machine
	go func() {
		res, err := client.Do(r)
		if err != nil {
			_ = from.CloseWithError(err)
			s.answer <- got{Response: &http.Response{Request: r}, Body: err.Error()}
			return
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		s.answer <- got{res, string(b)}
	}()
	for _, f := range [][2]string{{"veicolo", string(car)}, {"patente", "2030-01-31"}, {"assicurazione", "2027-10-31"}, {"revisione", "2028-01-31"}, {"consenso", "si"}} {
		must(v.w.t, s.form.WriteField(f[0], f[1]))
	}
	return s
}

// picture sends one more.
func (s *sending) picture(field string, data []byte) error {
	part, err := s.form.CreateFormFile(field, "foto.jpg")
	if err == nil {
		_, err = part.Write(data)
	}
	return err
}

// ends the form and waits for its answer.
func (s *sending) ends() got {
	_ = s.form.Close()
	_ = s.body.Close()
	return <-s.answer
}

// Thirty people send pictures of 18 MB at once: three forms are read, all
// others are told in words to come back, and nothing of theirs is kept.
func TestUploadsAtOnce(t *testing.T) {
	w := newWorld(t)
	car := func(v *visitor) carpool.VehicleID {
		c, err := w.Members.PutVehicle(t.Context(), v.by, carpool.Vehicle{Driver: v.by.Member, Plate: "AB" + v.name[len("Residente"):] + "00CD", Label: "Panda", Class: "car", Seats: 4})
		must(t, err)
		return c.ID
	}
	fields := []string{"foto-patente", "foto-assicurazione", "foto-revisione"}
	big := bytes.Repeat([]byte{0xff}, 6<<20)
	small := picture(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var read []*sending
	var people []*visitor
	for range 3 {
		v := w.resident()
		s := v.begins(car(v))
		for _, f := range fields[:2] {
			must(t, s.picture(f, big))
		}
		read, people = append(read, s), append(people, v)
	}
	if g := people[0].begins("v-x").ends(); g.StatusCode != http.StatusTooManyRequests || g.Header.Get("Retry-After") != "60" {
		t.Errorf("a second form of one person: %d, Retry-After %q", g.StatusCode, g.Header.Get("Retry-After"))
	} else {
		people[0].wants(g, http.StatusTooManyRequests, "Stiamo già ricevendo delle foto da voi", "aspettate un minuto")
	}
	var others []*sending
	for range 27 {
		v := w.resident()
		people = append(people, v)
		others = append(others, v.begins("v-x"))
	}
	sent := make(chan error, len(others))
	for _, s := range others {
		go func() {
			var err error
			for _, f := range fields {
				if err == nil {
					err = s.picture(f, big[:len(big)-1000])
				}
			}
			sent <- err
		}()
	}
	for range others {
		must(t, <-sent) // all of it was taken from the line
	}
	if more := int64(heap()) - int64(before); more > 80<<20 {
		t.Errorf("30 forms of 18 MB take %d MB", more>>20)
	}
	for i, s := range others {
		g := s.ends()
		people[3+i].wants(g, http.StatusServiceUnavailable, "molte persone mandano le foto", "aspettate un minuto")
		if g.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", g.Header.Get("Retry-After"))
		}
	}
	for i, s := range read {
		must(t, s.picture(fields[2], small))
		people[i].wants(s.ends(), http.StatusBadRequest) // bytes that are no picture
		again := people[i].begins(cars(t, w, people[i]))
		must(t, again.picture(fields[0], small))
		people[i].led(again.ends(), "/passaggi/auto?fatto=documenti")
	}
	waiting, err := w.Trust.Queue(t.Context(), carpool.By{Account: "vigile"}, func(string) bool { return true })
	must(t, err)
	if len(waiting) != 3 {
		t.Errorf("%d forms are in the queue", len(waiting))
	}
}

func cars(t *testing.T, w *world, v *visitor) carpool.VehicleID {
	t.Helper()
	all, err := w.Members.Vehicles(t.Context(), v.by.Member)
	must(t, err)
	return all[0].ID
}

// Who sent papers six times today is told so before a picture is read.
func TestUploadsOfADay(t *testing.T) {
	w := newWorld(t)
	v := w.resident(carpool.ConsentCheck)
	c, err := w.Members.PutVehicle(t.Context(), v.by, carpool.Vehicle{Driver: v.by.Member, Plate: "AB123CD", Label: "Panda", Class: "car", Seats: 4})
	must(t, err)
	for range 6 {
		_, err := w.Trust.Ask(t.Context(), v.by, c.ID, carpool.Check{Licence: "2030-01-31", Insurance: "2027-10-31", Roadworthy: "2028-01-31"}, nil)
		must(t, err)
	}
	s := v.begins(c.ID)
	must(t, s.picture("foto-patente", []byte("this would be refused as no picture")))
	v.wants(s.ends(), http.StatusConflict, "Oggi avete già mandato i documenti più volte")
	w.at(w.clock().Add(25 * time.Hour))
	v.enter()
	s = v.begins(c.ID)
	must(t, s.picture("foto-patente", picture(t)))
	v.led(s.ends(), "/passaggi/auto?fatto=documenti")
	if strings.Count(v.get("/passaggi/auto").Body, "sta guardando") == 0 {
		t.Error("the papers are not in the queue")
	}
}
