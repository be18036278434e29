package demo_test

import (
	"fmt"
	"os"

	"github.com/crinale/crinale/demo"
)

func ExampleNetwork() {
	n, err := demo.Network()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := n.Summary().WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 13 sites, 44 seats (4 camera, 2 school, 38 town-hall)
	// 64 devices, 60 of them radios (2 w60g, 2 wifi, 56 wireless)
	// 34 links (2 fibre, 1 lte, 30 radio, 1 satellite), 13 sectors, 15 gear sheets
	// partner langanet: 15 links, 3 of them shared
	// partner bormidalink: 14 links, 5 of them shared
	// partner collinawave: 13 links, 6 of them shared
}
