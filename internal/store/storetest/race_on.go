//go:build race

package storetest

// raced says that the race detector is watching.
const raced = true
