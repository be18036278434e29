// Package edge decides what a shared cache in a town hall may keep of an answer,
// when it may give it again, and what it must ask for instead: HTTP caching
// (RFC 9111) with the extensions of RFC 5861, 8246, 9211 and 9213.
//
// Everything here is a pure function of what was asked, what is stored and the
// time: nothing is read, written or waited for. A decision is a value that can
// be printed and compared; whoever holds the connection obeys it.
package edge

import (
	"net/http"
	"time"
)

// Profile is how careful a cache is beyond what RFC 9111 asks.
type Profile uint8

const (
	// Safe keeps nothing that carries a cookie for somebody, and gives nothing to
	// whoever signs in unless the origin says that it may be shared.
	Safe Profile = iota
	// Strict keeps and gives what RFC 9111 lets a shared cache keep and give. It
	// is for conformance tests and for services that need it.
	Strict
)

// Rules are those of a cache, or of one service in it.
type Rules struct {
	Profile Profile
	// Targets are the fields of RFC 9213 that are for this cache, the most
	// particular first, such as "Crinale-Cache-Control", "CDN-Cache-Control".
	Targets []string
	// Heuristic is the longest lifetime that is guessed from Last-Modified (RFC
	// 9111 §4.2.2); 0: none is guessed.
	Heuristic time.Duration
	// StaleIfError is how long after its lifetime an answer may be given when the
	// origin cannot be reached, where the origin does not say (RFC 5861 §4); 0:
	// not at all. It never overrules must-revalidate.
	StaleIfError time.Duration
	// Offline is what is given while the origin cannot be reached.
	Offline Offline
}

// DefaultRules are those of the safe profile.
func DefaultRules() Rules {
	return Rules{
		Targets:   []string{"Crinale-Cache-Control", "Cdn-Cache-Control"},
		Heuristic: 24 * time.Hour,
	}
}

// Request is what decisions need of a request.
type Request struct {
	Method string
	Header http.Header
}

// Response is the head of a final answer of the origin, as it came.
type Response struct {
	Status int
	Header http.Header
	Asked  time.Time // when the request was sent
	Got    time.Time // when the head was received
}

// Stored is the head of an answer as a cache keeps it. It is never changed: what
// freshens it makes another one.
type Stored struct {
	Status int
	Header http.Header // without what was of the connection
	Asked  time.Time
	Got    time.Time
	// Variant is what the request said in the fields that Vary names, in the form
	// of Variant; "" without Vary.
	Variant string
	// Shared says that the origin lets an answer to a request with Authorization
	// be given to others (RFC 9111 §3.5).
	Shared bool
}
