// Command crinale plans, watches and shares the radio network of a mountain
// union. This package is the composition root: it alone knows every other
// package, the flags and the configuration, and plugs the parts together
// (wire.go). A verb is parse, one call, print.
package main

import "os"

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}
