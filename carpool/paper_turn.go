package carpool

import (
	"encoding/binary"
	"image"
)

// orientation is how a camera held a JPEG, 1 to 8 (Exif 2.32, tag 0x0112); 1
// where it says nothing that can be read.
func orientation(jpeg []byte) int {
	body := segment(jpeg, 0xe1)
	if len(body) <= 14 || string(body[:6]) != "Exif\x00\x00" {
		return 1
	}
	return exifTurn(body[6:])
}

// segment is the first part of a JPEG with a marker, before its picture; nil
// where there is none.
func segment(jpeg []byte, marker byte) []byte {
	for i := 2; i+4 <= len(jpeg) && jpeg[i] == 0xff; {
		if jpeg[i+1] == 0xff { // filled up
			i++
			continue
		}
		size := int(binary.BigEndian.Uint16(jpeg[i+2:]))
		if jpeg[i+1] == 0xda || size < 2 || i+2+size > len(jpeg) {
			return nil
		}
		if jpeg[i+1] == marker {
			return jpeg[i+4 : i+2+size]
		}
		i += 2 + size
	}
	return nil
}

func exifTurn(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > int64(len(tiff)) {
		return 1
	}
	n := int64(order.Uint16(tiff[at:]))
	for e := at + 2; n > 0 && e+12 <= int64(len(tiff)); e, n = e+12, n-1 {
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := int(order.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// turned is the picture upright, from how the camera held it.
func turned(in *image.RGBA, how int) *image.RGBA {
	if how <= 1 {
		return in
	}
	w, h := in.Rect.Dx(), in.Rect.Dy()
	ow, oh := w, h
	if how >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch how {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			out.SetRGBA(tx, ty, in.RGBAAt(x, y))
		}
	}
	return out
}
