// Package metrics keeps the program's figures and shows them in the text form
// of Prometheus.
package metrics
