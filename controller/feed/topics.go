package feed

import (
	"regexp"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
)

// StatusTopic tells whether the feed is alive; retained, with a last will.
const StatusTopic = "crinale/v1/status"

func tree(p network.PartnerID) string { return "crinale/v1/partners/" + string(p) }

// StateTopic is the last known state of a link; retained, QoS 1.
func StateTopic(p network.PartnerID, l network.LinkID) string {
	return tree(p) + "/links/" + string(l) + "/state"
}

// SampleTopic is each reading of a link; QoS 0.
func SampleTopic(p network.PartnerID, l network.LinkID) string {
	return tree(p) + "/links/" + string(l) + "/sample"
}

// AlertTopic is an open alert; retained, QoS 1, and an empty payload once it
// is closed.
func AlertTopic(p network.PartnerID, id string) string { return tree(p) + "/alerts/" + id }

// SiteTopic is a site that the partner uses; retained, QoS 1.
func SiteTopic(p network.PartnerID, s network.SiteID) string { return tree(p) + "/sites/" + string(s) }

// EdgeWayTopic is the way from a town hall to the outside; retained, QoS 1.
func EdgeWayTopic(id controller.EdgeID) string { return controller.EdgeTopics(id)[0] }

// EdgeOrdersTopic is what an edge is to forget; retained, QoS 1.
func EdgeOrdersTopic(id controller.EdgeID) string { return controller.EdgeTopics(id)[1] }

// retained are the filters of everything that is retained for partners and edges.
var retained = []string{
	"crinale/v1/partners/+/links/+/state",
	"crinale/v1/partners/+/alerts/+",
	"crinale/v1/partners/+/sites/+",
	"crinale/v1/edge/+/way",
	"crinale/v1/edge/+/orders",
}

var level = regexp.MustCompile(`^[a-z0-9-]{1,128}$`)

// safe says whether names can stand in a topic. The loader of the files has
// checked them; an alert's ID is made by the program.
func safe(names ...string) bool {
	for _, n := range names {
		if !level.MatchString(n) {
			return false
		}
	}
	return true
}
