package spectrum

import "github.com/crinale/crinale/internal/unit"

// rules is the law as read in the sources named in each row; what was not
// read there is not Verified and must not be used for a statement of
// compliance. Italy: a general authorisation is needed outside one's premises.
var rules = []Rule{
	{From: 2400, To: 2483.5, Use: RLAN, MaxEIRP: 20, MaxEIRPNoTPC: 20, MaxDensity: unit.Some[unit.DBm](10),
		Conditions: "adequate sharing mechanism", Source: "ERC/REC 70-03 Annex 3 entry b", Verified: true},
	{From: 5150, To: 5250, Use: RLAN, MaxEIRP: 23, MaxEIRPNoTPC: 23, MaxDensity: unit.Some[unit.DBm](10), Indoor: true,
		Conditions: "indoor only", Source: "ECC/DEC/(04)08", Verified: true},
	{From: 5250, To: 5350, Use: RLAN, MaxEIRP: 23, MaxEIRPNoTPC: 20, MaxDensity: unit.Some[unit.DBm](10), Indoor: true, TPC: true, DFS: true,
		Conditions: "indoor only", Source: "ECC/DEC/(04)08", Verified: true},
	{From: 5470, To: 5725, Use: RLAN, MaxEIRP: 30, MaxEIRPNoTPC: 27, MaxDensity: unit.Some[unit.DBm](17), TPC: true, DFS: true,
		Conditions: "indoor and outdoor; TPC gives 3 dB", Source: "ECC/DEC/(04)08", Verified: true},
	{From: 5725, To: 5875, Use: BFWA, MaxEIRP: 36, MaxEIRPNoTPC: 36, MaxDensity: unit.Some[unit.DBm](23), TPC: true, DFS: true,
		Conditions: "point-to-point or point-to-multipoint; needs national implementation, the Italian status is not verified", Source: "ECC/REC/(06)04", Verified: false},
	{From: 5725, To: 5875, Use: Mesh, MaxEIRP: 33, MaxEIRPNoTPC: 33, MaxDensity: unit.Some[unit.DBm](20), TPC: true, DFS: true,
		Conditions: "mesh; needs national implementation, the Italian status is not verified", Source: "ECC/REC/(06)04", Verified: false},
	{From: 5725, To: 5875, Use: SRD, MaxEIRP: 13.98, MaxEIRPNoTPC: 13.98,
		Conditions: "25 mW", Source: "EN 300 440, wireless-regdb entry for IT", Verified: true},
	{From: 5945, To: 6425, Use: RLAN, MaxEIRP: 23, MaxEIRPNoTPC: 23, MaxDensity: unit.Some[unit.DBm](10), Indoor: true,
		Conditions: "low power, indoor only", Source: "Decision (EU) 2021/1067", Verified: true},
	{From: 17100, To: 17300, Use: RLAN, MaxEIRP: 20, MaxEIRPNoTPC: 20,
		Conditions: "100 mW", Source: "ERC/REC 70-03, not read", Verified: false},
	{From: 24000, To: 24250, Use: SRD, MaxEIRP: 20, MaxEIRPNoTPC: 20,
		Conditions: "100 mW", Source: "ERC/REC 70-03 Annex 1, not read", Verified: false},
	{From: 57000, To: 71000, Use: RLAN, MaxEIRP: 40, MaxEIRPNoTPC: 40, MaxDensity: unit.Some[unit.DBm](23),
		Conditions: "at most 27 dBm at the antenna port", Source: "ERC/REC 70-03 Annex 3 entry c2", Verified: true},
	{From: 57000, To: 71000, Use: W60Fix, MaxEIRP: 55, MaxEIRPNoTPC: 55, MaxDensity: unit.Some[unit.DBm](38), MinGain: 30,
		Conditions: "fixed outdoor only, antenna gain at least 30 dBi", Source: "ERC/REC 70-03 Annex 3 entry c3", Verified: true},
	{From: 57000, To: 64000, Use: Fixed, MaxEIRP: 55, MaxEIRPNoTPC: 55, MinGain: 30,
		Conditions: "point-to-point, transmitter output at most 10 dBm", Source: "ECC/REC/(09)01", Verified: true},
}

// Rules lists every row.
func Rules() []Rule { return append([]Rule(nil), rules...) }
