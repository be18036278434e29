//go:build !race

package controller

// stride is that every point at which a change can be killed is tried.
const stride = 1
