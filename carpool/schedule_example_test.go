package carpool_test

import (
	"fmt"

	"github.com/crinale/crinale/carpool"
)

func ExampleSchedule_Days() {
	nurse := carpool.Schedule{Time: "06:40", Rule: "FREQ=WEEKLY;BYDAY=MO,TH", First: "2026-11-23",
		Except: []carpool.Date{"2026-11-30"}, School: carpool.SchoolDay}
	school := carpool.School{Off: []carpool.Span{{First: "2026-12-07", Last: "2026-12-08", Name: "ponte"}}}
	days, err := nurse.Days("2026-11-23", "2026-12-10", school)
	fmt.Println(days, err)
	// Output: [2026-11-23 2026-11-26 2026-12-03 2026-12-10] <nil>
}

func ExampleCaps_CheckRate() {
	caps := carpool.DefaultCaps()
	fmt.Println(caps.CheckRate(carpool.Offer{Seats: 3, MilliEURKm: 90}, "car"))
	fmt.Println(caps.Contribution(carpool.Offer{Seats: 3, MilliEURKm: 50}, "car", 1, 18400), "cents")
	// Output:
	// milli_eur_km: 90 is more than each rider's share of the cost; ask for at most 75 (0.075 €/km) with 3 places in this car
	// 92 cents
}
