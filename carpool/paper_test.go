package carpool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// photo is a JPEG, red on the left and blue on the right, with what a camera
// writes into it, and something behind its end.
func photo(t testing.TB, w, h, turn int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(255 * (1 - min(1, 2*x/w))), 0, uint8(255 * min(1, 2*x/w)), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	tiff := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00")
	tiff = binary.LittleEndian.AppendUint32(tiff, uint32(turn))
	tiff = append(tiff, "\x00\x00\x00\x00GPS 44.5472 N SENTINEL"...)
	exif := append([]byte("Exif\x00\x00"), tiff...)
	seg := append([]byte{0xff, 0xe1, 0, 0}, exif...)
	binary.BigEndian.PutUint16(seg[2:], uint16(len(exif)+2))
	out := append([]byte{0xff, 0xd8}, seg...)
	out = append(out, b.Bytes()[2:]...)
	return append(out, "PK\x03\x04<script>SENTINEL</script>"...)
}

func TestPicturesAreDrawnAnew(t *testing.T) {
	p, err := carpool.Clean(t.Context(), carpool.Picture{Kind: carpool.PictureLicence, Data: photo(t, 400, 300, 6)})
	must(t, err)
	if bytes.Contains(p.Data, []byte("SENTINEL")) || bytes.Contains(p.Data, []byte("Exif")) || bytes.Contains(p.Data, []byte("PK\x03\x04")) {
		t.Error("what stood in the file beside the picture is there still")
	}
	img, err := jpeg.Decode(bytes.NewReader(p.Data))
	must(t, err)
	if b := img.Bounds(); b.Dx() != 300 || b.Dy() != 400 {
		t.Errorf("%v: the picture does not stand upright", b)
	}
	if r, _, b, _ := img.At(150, 40).RGBA(); r < b { // turned by 90° to the right, the left is on top
		t.Error("turned the wrong way")
	}
	big, err := carpool.Clean(t.Context(), carpool.Picture{Kind: carpool.PictureInsurance, Data: photo(t, 3000, 1500, 1)})
	must(t, err)
	if c, err := jpeg.DecodeConfig(bytes.NewReader(big.Data)); err != nil || c.Width != 1800 || c.Height != 900 {
		t.Errorf("%+v, %v", c, err)
	}
	var flat bytes.Buffer
	must(t, png.Encode(&flat, image.NewNRGBA(image.Rect(0, 0, 20, 10))))
	white, err := carpool.Clean(t.Context(), carpool.Picture{Kind: carpool.PictureRoadworthy, Data: flat.Bytes()})
	must(t, err)
	if img, err := jpeg.Decode(bytes.NewReader(white.Data)); err != nil {
		t.Error(err)
	} else if r, _, _, _ := img.At(5, 5).RGBA(); r < 0xf000 || white.Media != "image/jpeg" {
		t.Errorf("what is clear is not white: %x, %s", r, white.Media)
	}
}

func TestPicturesThatAreNone(t *testing.T) {
	huge := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x02\x00\x00\x00") // 65536 × 65536
	huge = binary.BigEndian.AppendUint32(huge, crcOf(huge[12:]))
	// 4000 × 3000 in the progressive form, which takes much memory.
	progressive := photo(t, 16, 16, 1)
	at := bytes.Index(progressive, []byte{0xff, 0xc0, 0x00, 0x11})
	progressive[at+1] = 0xc2
	binary.BigEndian.PutUint16(progressive[at+5:], 3000)
	binary.BigEndian.PutUint16(progressive[at+7:], 4000)
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "html": []byte("<svg onload=alert(1)>"), "gif": []byte("GIF89a\x01\x00\x01\x00"), "cut": photo(t, 40, 30, 1)[:400],
		"head alone": []byte("\xff\xd8\xff"), "png bomb": huge, "progressive bomb": progressive, "too big": append([]byte("\xff\xd8\xff"), make([]byte, carpool.MaxPicture)...),
	} {
		_, err := carpool.Clean(t.Context(), carpool.Picture{Kind: carpool.PictureLicence, Data: data})
		refused(t, name, err, fault.Invalid)
	}
	_, err := carpool.Clean(t.Context(), carpool.Picture{Kind: "face", Data: photo(t, 40, 30, 1)})
	refused(t, "kind", err, fault.Invalid)
}

func crcOf(b []byte) uint32 {
	crc := ^uint32(0)
	for _, v := range b {
		crc ^= uint32(v)
		for range 8 {
			crc = crc>>1 ^ 0xedb88320&-(crc&1)
		}
	}
	return ^crc
}

func FuzzPicture(f *testing.F) {
	f.Add(photo(f, 16, 8, 3))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := carpool.Clean(context.Background(), carpool.Picture{Kind: carpool.PictureLicence, Data: b})
		if err != nil {
			return
		}
		if _, err := jpeg.Decode(bytes.NewReader(p.Data)); err != nil {
			t.Errorf("what is kept is no picture: %v", err)
		}
	})
}

func TestPapersFromAskToDecision(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		v := w.car(by)
		if v.Plate != "AB123CD" {
			t.Errorf("plate %s", v.Plate)
		}
		pics := []carpool.Picture{{Kind: carpool.PictureLicence, Data: photo(t, 40, 30, 1)}, {Kind: carpool.PictureInsurance, Data: photo(t, 40, 30, 1)}}
		_, err := w.Trust.Ask(ctx, by, v.ID, papersUntil, pics)
		refused(t, "without consent", err, fault.Denied)
		_, err = w.Members.Consent(ctx, by, m.ID, carpool.ConsentCheck, "page")
		must(t, err)
		old := papersUntil
		old.Insurance = "2026-11-22"
		_, err = w.Trust.Ask(ctx, by, v.ID, old, pics)
		refused(t, "a paper of yesterday", err, fault.Invalid)
		_, err = w.Trust.Ask(ctx, by, v.ID, carpool.Check{Licence: "31/01/2030"}, pics)
		refused(t, "no dates", err, fault.Invalid)
		first, err := w.Trust.Ask(ctx, by, v.ID, papersUntil, pics)
		must(t, err)
		w.now = w.now.Add(time.Minute)
		c, err := w.Trust.Ask(ctx, by, v.ID, papersUntil, pics)
		must(t, err)
		if n := w.number(`SELECT count(*) FROM carpool_pictures`); n != 2 {
			t.Errorf("%d pictures are kept", n)
		}

		queue, err := w.Trust.Queue(ctx, officer, func(string) bool { return false })
		must(t, err)
		if len(queue) != 0 || w.number(`SELECT count(*) FROM carpool_looks`) != 0 {
			t.Errorf("an officer of another comune sees %v, or looks are written", queue)
		}
		queue, err = w.Trust.Queue(ctx, officer, everywhere)
		must(t, err)
		if len(queue) != 1 || queue[0].ID != c.ID || queue[0].Name != "Residente Numero 1" || queue[0].Plate != "AB123CD" || len(queue[0].Pictures) != 2 {
			t.Fatalf("%+v", queue)
		}
		_, err = w.Trust.Look(ctx, officer, first.ID)
		refused(t, "what was sent anew", err, fault.NotFound)
		view, err := w.Trust.Look(ctx, officer, c.ID)
		must(t, err)
		pic, err := w.Trust.Picture(ctx, officer, c.ID, view.Pictures[0].ID)
		must(t, err)
		if _, err := jpeg.Decode(bytes.NewReader(pic.Data)); err != nil || pic.Media != "image/jpeg" || bytes.Contains(pic.Data, []byte("SENTINEL")) {
			t.Errorf("%s, %v", pic.Media, err)
		}
		_, err = w.Trust.Picture(ctx, officer, c.ID, "i-none")
		refused(t, "no picture", err, fault.NotFound)
		_, err = w.Trust.Decide(ctx, officer, c.ID, carpool.Decision{})
		refused(t, "a refusal without reason", err, fault.Invalid)
		_, err = w.Trust.Decide(ctx, carpool.By{Account: by.Account}, c.ID, carpool.Decision{Pass: true})
		refused(t, "one's own papers", err, fault.Denied)
		_, err = w.Trust.Decide(ctx, officer, c.ID, carpool.Decision{Pass: true, Insurance: "2027-02-28"})
		must(t, err)
		if n := w.number(`SELECT count(*) FROM carpool_pictures`); n != 0 {
			t.Errorf("%d pictures outlived the decision", n)
		}
		_, err = w.Trust.Decide(ctx, officer, c.ID, carpool.Decision{Pass: true})
		refused(t, "a second decision", err, fault.NotFound)
		mine, err := w.Trust.Mine(ctx, m.ID)
		must(t, err)
		if len(mine) != 2 || mine[0].State != carpool.CheckPassed || mine[0].Until() != "2027-02-28" || mine[0].Officer != "vigile" || mine[1].State != carpool.CheckVoid {
			t.Errorf("%+v", mine)
		}
		looks, err := w.Trust.Looks(ctx, m.ID)
		must(t, err)
		var seen []string
		for _, l := range looks {
			if l.Who != "vigile" || l.Thing != c.ID {
				t.Errorf("%+v", l)
			}
			seen = append(seen, string(l.What))
		}
		if len(seen) != 3 {
			t.Errorf("looks: %v", seen)
		}
		if got := w.told(m.ID); got != "welcome check.passed" {
			t.Errorf("told %q", got)
		}
	})
}

func TestOfficersSeeTheQueueAndNothingElse(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		_, self := w.resident(1, carpool.ConsentCheck)
		v := w.checked(self)
		_, err := w.Members.Find(ctx, officer, "residente", everywhere)
		refused(t, "find", err, fault.Denied)
		_, err = w.Desk.Calls(ctx, officer)
		refused(t, "call list", err, fault.Denied)
		_, err = w.Desk.Sheet(ctx, officer, "2026-11-23", "")
		refused(t, "sheet", err, fault.Denied)
		rider, _ := w.resident(2)
		b := w.lift("x", rider.ID, self.Member, v.ID, carpool.Accepted, time.Hour)
		_, err = w.Desk.Slip(ctx, officer, b)
		refused(t, "slip", err, fault.Denied)
		_, err = w.Talk.Read(ctx, officer, b)
		refused(t, "messages", err, fault.Denied)
		refused(t, "export", w.Privacy.Export(ctx, officer, self.Member, &bytes.Buffer{}), fault.Denied)
		for _, by := range []carpool.By{self, atDesk, {}} {
			_, err := w.Trust.Queue(ctx, by, everywhere)
			refused(t, "the queue by somebody else", err, fault.Denied)
			_, err = w.Trust.Look(ctx, by, "d-x")
			refused(t, "a look by somebody else", err, fault.Denied)
			_, err = w.Trust.Picture(ctx, by, "d-x", "i-x")
			refused(t, "a picture by somebody else", err, fault.Denied)
			_, err = w.Trust.Decide(ctx, by, "d-x", carpool.Decision{Pass: true})
			refused(t, "a decision by somebody else", err, fault.Denied)
		}
	})
}

// drives is a driver with papers that hold, and a rider whom they take in three
// days.
func (w *trustWorld) drives() (driver carpool.Member, by carpool.By, rider carpool.Member, v carpool.Vehicle) {
	w.t.Helper()
	driver, by = w.resident(1, carpool.ConsentCheck)
	rider, _ = w.resident(2)
	v = w.checked(by)
	w.lift("x", rider.ID, driver.ID, v.ID, carpool.Accepted, 72*time.Hour)
	return driver, by, rider, v
}

func TestAnotherPlateIsAnotherCar(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		driver, by, rider, v := w.drives()
		v.Label = "Panda blu"
		_, err := w.Members.PutVehicle(ctx, by, v)
		must(t, err)
		if risk := w.texts(`SELECT risk FROM carpool_rides`); risk[0] != "" {
			t.Errorf("a new colour puts rides at risk: %v", risk)
		}
		v.Plate = "EF 456 GH"
		_, err = w.Members.PutVehicle(ctx, by, v)
		must(t, err)
		mine, err := w.Trust.Mine(ctx, driver.ID)
		must(t, err)
		if mine[0].State != carpool.CheckVoid {
			t.Errorf("%+v", mine[0])
		}
		if risk := w.texts(`SELECT risk FROM carpool_rides`); risk[0] != "papers" || !strings.Contains(w.told(rider.ID), "ride.at-risk") {
			t.Errorf("risk %v, told %q", risk, w.told(rider.ID))
		}
		must(t, w.Trust.Round(ctx))
		if st := w.texts(`SELECT state FROM carpool_rides`); st[0] != "open" {
			t.Errorf("cancelled three days ahead: %v", st)
		}
		c, err := w.Trust.Ask(ctx, by, v.ID, papersUntil, nil)
		must(t, err)
		_, err = w.Trust.Decide(ctx, officer, c.ID, carpool.Decision{Pass: true})
		must(t, err)
		if risk := w.texts(`SELECT risk FROM carpool_rides`); risk[0] != "" {
			t.Errorf("checked anew: %v", risk)
		}
		v.Plate = "IL 789 MN"
		_, err = w.Members.PutVehicle(ctx, by, v)
		must(t, err)
		w.now = w.now.Add(49 * time.Hour)
		must(t, w.Trust.Round(ctx))
		must(t, w.Trust.Round(ctx))
		if st := w.texts(`SELECT state FROM carpool_rides`); st[0] != "cancelled" {
			t.Errorf("a day ahead, without papers: %v", st)
		}
		if !strings.Contains(w.told(rider.ID), "booking.cancelled") {
			t.Errorf("told %q", w.told(rider.ID))
		}
		other, otherBy := w.resident(3)
		v.Driver = other.ID
		_, err = w.Members.PutVehicle(ctx, otherBy, v)
		refused(t, "somebody else's car", err, fault.Denied)
		refused(t, "dropped by somebody else", w.Members.DropVehicle(ctx, otherBy, v.ID), fault.Denied)
		must(t, w.Members.DropVehicle(ctx, by, v.ID))
		if cars, err := w.Members.Vehicles(ctx, driver.ID); err != nil || len(cars) != 0 {
			t.Errorf("%v, %v", cars, err)
		}
	})
}

// Who was looked at under one name does not drive under another.
func TestAnotherNameIsLookedAtAgain(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		driver, by, _, v := w.drives()
		waiting, err := w.Trust.Ask(ctx, by, v.ID, papersUntil, []carpool.Picture{{Kind: carpool.PictureLicence, Data: photo(t, 40, 30, 1)}})
		must(t, err)
		driver.Large = true
		_, err = w.Members.Update(ctx, by, driver)
		must(t, err)
		if risk := w.texts(`SELECT risk FROM carpool_rides`); risk[0] != "" {
			t.Errorf("large type puts rides at risk: %v", risk)
		}
		driver.Last = "Altro Nome"
		_, err = w.Members.Update(ctx, by, driver)
		must(t, err)
		_, err = w.Trust.Decide(ctx, officer, waiting.ID, carpool.Decision{Pass: true})
		refused(t, "papers of the old name", err, fault.NotFound)
		for _, state := range w.texts(`SELECT state FROM carpool_checks`) {
			if state != string(carpool.CheckVoid) {
				t.Errorf("a check is %s", state)
			}
		}
		if risk := w.texts(`SELECT risk FROM carpool_rides`); risk[0] != "papers" || w.number(`SELECT count(*) FROM carpool_pictures`) != 0 {
			t.Errorf("risk %v", risk)
		}
		if n := w.number(`SELECT count(*) FROM audit_line WHERE action = 'carpool.member.update' AND object = $1`, string(driver.ID)); n != 2 {
			t.Errorf("%d lines in the log", n)
		}
	})
}

func TestPapersThatRunOut(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		driver, by := w.resident(1, carpool.ConsentCheck)
		rider, _ := w.resident(2)
		v := w.checked(by) // until 31 January
		day := func(month time.Month, d, hour int) time.Duration {
			return time.Date(2027, month, d, hour, 0, 0, 0, time.UTC).Sub(w.now)
		}
		w.lift("last", rider.ID, driver.ID, v.ID, carpool.Accepted, day(1, 31, 20))
		w.lift("after", rider.ID, driver.ID, v.ID, carpool.Accepted, day(2, 1, 6))
		risks := func() string {
			return strings.Join(w.texts(`SELECT id || '=' || state || '/' || risk FROM carpool_rides ORDER BY id`), " ")
		}
		w.now = time.Date(2027, 1, 16, 12, 0, 0, 0, time.UTC)
		must(t, w.Trust.Round(ctx))
		if got := risks(); got != "r-after=open/ r-last=open/" || strings.Contains(w.told(driver.ID), "check.due") {
			t.Errorf("15 days ahead: %s; told %q", got, w.told(driver.ID))
		}
		w.now = w.now.Add(24 * time.Hour)
		for range 3 {
			must(t, w.Trust.Round(ctx))
		}
		if got := risks(); got != "r-after=open/papers r-last=open/" {
			t.Errorf("14 days ahead: %s", got)
		}
		if strings.Count(w.told(driver.ID), "check.due") != 1 || strings.Count(w.told(rider.ID), "ride.at-risk") != 1 {
			t.Errorf("told %q and %q", w.told(driver.ID), w.told(rider.ID))
		}
		w.now = time.Date(2027, 1, 31, 5, 0, 0, 0, time.UTC)
		for range 2 {
			must(t, w.Trust.Round(ctx))
		}
		if got := risks(); !strings.HasPrefix(got, "r-after=cancelled") || !strings.HasSuffix(got, "r-last=open/") {
			t.Errorf("on the last day: %s", got)
		}
		if strings.Count(w.told(rider.ID), "booking.cancelled") != 1 {
			t.Errorf("told %q", w.told(rider.ID))
		}
		w.now = w.now.Add(24 * time.Hour)
		must(t, w.Trust.Round(ctx))
		mine, err := w.Trust.Mine(ctx, driver.ID)
		must(t, err)
		if mine[0].State != carpool.CheckOver {
			t.Errorf("%+v", mine[0])
		}
	})
}
