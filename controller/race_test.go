//go:build race

package controller

// stride is how many of the points at which a change can be killed are left
// out: the race detector is slow, and looks for something else.
const stride = 11
