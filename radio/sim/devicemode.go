package sim

import "time"

// deviceModeMenu says what a device lets itself be configured for (manual:
// Device-mode). Routers leave the factory in the advanced mode, other boards in
// basic; one that refuses the scheduler is in home.
var deviceModeMenu = &menu{path: "/system/device-mode", singleton: true, rows: func(d *device, _ time.Time) []item {
	mode := "basic"
	if d.driver == router {
		mode = "advanced"
	}
	if d.suffers(RefuseScheduler) || d.suffers(DeafScheduler) {
		mode = "home"
	}
	advanced, home := mode == "advanced", mode == "home"
	return []item{{
		{"mode", mode}, {"flagged", "false"}, {"flagging-enabled", "true"}, {"attempt-count", "0"}, {"allowed-versions", "7.13+,6.49.8+"},
		{"scheduler", boolean(!home)}, {"fetch", boolean(!home)}, {"sniffer", boolean(!home)}, {"romon", boolean(!home)}, {"email", boolean(!home)},
		{"socks", boolean(advanced)}, {"bandwidth-test", boolean(advanced)}, {"proxy", boolean(advanced)}, {"hotspot", boolean(advanced)}, {"zerotier", boolean(advanced)},
		{"pptp", "true"}, {"l2tp", "true"}, {"ipsec", "true"}, {"smb", boolean(!home)},
		{"traffic-gen", "false"}, {"container", "false"}, {"install-any-version", "false"}, {"partitions", "false"}, {"routerboard", "false"},
	}}
}}
