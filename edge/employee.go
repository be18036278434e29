package edge

import "errors"

// Employee is somebody who may read documents at an edge.
type Employee struct {
	ID     string
	Name   string
	Groups []string
}

// Why somebody is not let in.
var (
	ErrCode   = errors.New("the code is not one that is good")
	ErrPIN    = errors.New("the PIN is wrong")
	ErrShut   = errors.New("too many wrong PINs: wait")
	ErrDevice = errors.New("this device is not known")
	ErrWeak   = errors.New("the PIN is too easy: 6 to 12 digits, not all the same and not in a row")
)
