// Package interop answers other carpooling operators in the
// standard-covoiturage API.
package interop
