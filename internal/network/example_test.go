package network_test

import (
	"fmt"
	"testing/fstest"

	"github.com/crinale/crinale/internal/network"
)

// A network is a folder of YAML files; all that is wrong in it is told at
// once.
func ExampleLoad() {
	folder := fstest.MapFS{"network.yaml": {Data: []byte(`
sites:
  - {id: mombarcaro, name: Mombarcaro, lat: 44.4958, lon: 8.0792, structur: mast}
devices:
  - {id: core, site: mombarcro, gear: router}
`)}, "gear/router.yaml": {Data: []byte("id: router\nproduct: any router\nclass: router\n")}}
	_, err := network.Load(folder)
	fmt.Println(err)
	// Output:
	// network.yaml:3: sites[mombarcaro].structur: unknown key, did you mean structure? the keys here are id, name, lat, lon, comune, structure, height_m, power, access, partners
	// network.yaml:5: devices[core].site: there is no site "mombarcro", did you mean mombarcaro?
}
