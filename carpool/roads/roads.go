// Package roads measures ways by car and on foot: a road graph read from an
// OpenStreetMap extract with a contraction hierarchy over it, an outer engine,
// and an estimate where neither is there.
package roads
