//go:build race

package main

// slowness is how much longer than usual things may take in this build.
const slowness = 6
