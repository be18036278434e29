package page

import (
	"time"

	"github.com/crinale/crinale/carpool"
)

// seconds of a span, as keys with their unit carry them.
func seconds(d time.Duration) float64 { return d.Seconds() }

func span(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// answerBody is carpool.Answer with units in its keys.
type answerBody struct {
	Matches []matchBody   `json:"matches"`
	Misses  []missBody    `json:"misses"`
	Buses   []carpool.Bus `json:"buses"`
	Roads   struct {
		Kind     string `json:"kind"`
		Source   string `json:"source"`
		Estimate bool   `json:"estimate"`
	} `json:"roads"`
}

type matchBody struct {
	Ride     carpool.RideID   `json:"ride"`
	Pickup   stopBody         `json:"pickup"`
	Drop     stopBody         `json:"drop"`
	DetourS  float64          `json:"detour_s"`
	AboardS  float64          `json:"aboard_s"`
	WayM     float64          `json:"way_m"`
	Cents    int              `json:"contribution_cents"`
	Why      []carpool.Reason `json:"why"`
	LastBus  bool             `json:"last_bus"`
	BusFirst bool             `json:"bus_first"`
}

type stopBody struct {
	Place carpool.PlaceID `json:"place,omitempty"`
	Name  string          `json:"name"`
	Time  time.Time       `json:"time"`
	WalkS float64         `json:"walk_s"`
}

type missBody struct {
	Ride carpool.RideID `json:"ride,omitempty"`
	Bus  *carpool.Bus   `json:"bus,omitempty"`
	Why  string         `json:"why"`
	ByS  float64        `json:"by_s"`
}

func answerJSON(a carpool.Answer) answerBody {
	out := answerBody{Matches: []matchBody{}, Misses: []missBody{}, Buses: a.Buses}
	if out.Buses == nil {
		out.Buses = []carpool.Bus{}
	}
	for _, m := range a.Matches {
		why := m.Why
		if why == nil {
			why = []carpool.Reason{}
		}
		out.Matches = append(out.Matches, matchBody{m.Ride, stopJSON(m.Pickup), stopJSON(m.Drop), seconds(m.Detour), seconds(m.Aboard), m.Way, m.Cents, why, m.LastBus, m.BusFirst})
	}
	for _, m := range a.Misses {
		out.Misses = append(out.Misses, missBody{m.Ride, m.Bus, m.Why, seconds(m.By)})
	}
	out.Roads.Kind, out.Roads.Source, out.Roads.Estimate = a.Roads.Kind, a.Roads.Source, a.Roads.Estimate
	return out
}

func stopJSON(s carpool.MatchStop) stopBody {
	return stopBody{s.Place, s.Name, s.Time.UTC(), seconds(s.Walk)}
}

// offerBody is carpool.Offer with units in its keys.
type offerBody struct {
	ID         carpool.OfferID    `json:"id,omitempty"`
	Vehicle    carpool.VehicleID  `json:"vehicle"`
	From       carpool.Spot       `json:"from"`
	To         carpool.Spot       `json:"to"`
	When       carpool.Schedule   `json:"when"`
	Seats      int                `json:"seats"`
	Aboard     int                `json:"aboard"`
	MaxDetourS float64            `json:"max_detour_s"`
	FlexS      float64            `json:"flex_s"`
	DoorToDoor bool               `json:"door_to_door"`
	Carries    carpool.Needs      `json:"carries"`
	MilliEURKm int                `json:"milli_eur_km"`
	Return     carpool.OfferID    `json:"return,omitempty"`
	Note       string             `json:"note,omitempty"`
	State      carpool.OfferState `json:"state,omitempty"`
}

func offerJSON(o carpool.Offer) offerBody {
	return offerBody{o.ID, o.Vehicle, o.From, o.To, o.When, o.Seats, o.Aboard, seconds(o.MaxDetour), seconds(o.Flex), o.DoorToDoor, o.Carries, o.MilliEURKm, o.Return, o.Note, o.State}
}

func (b offerBody) offer(driver carpool.MemberID) carpool.Offer {
	return carpool.Offer{Driver: driver, Vehicle: b.Vehicle, From: b.From, To: b.To, When: b.When, Seats: b.Seats, Aboard: b.Aboard,
		MaxDetour: span(b.MaxDetourS), Flex: span(b.FlexS), DoorToDoor: b.DoorToDoor, Carries: b.Carries, MilliEURKm: b.MilliEURKm, Return: b.Return, Note: b.Note}
}

// requestBody is carpool.Request with units in its keys.
type requestBody struct {
	ID         carpool.RequestID    `json:"id,omitempty"`
	From       carpool.Spot         `json:"from"`
	To         carpool.Spot         `json:"to"`
	When       carpool.Window       `json:"when"`
	Companions int                  `json:"companions"`
	Needs      carpool.Needs        `json:"needs"`
	DoorToDoor bool                 `json:"door_to_door"`
	MaxWalkS   float64              `json:"max_walk_s"`
	Return     carpool.ReturnKind   `json:"return"`
	Outward    carpool.RequestID    `json:"outward,omitempty"`
	Note       string               `json:"note,omitempty"`
	State      carpool.RequestState `json:"state,omitempty"`
	Way        *carpool.Way         `json:"way,omitempty"`
}

func requestJSON(r carpool.Request) requestBody {
	way := r.Way
	return requestBody{r.ID, r.From, r.To, r.When, r.Companions, r.Needs, r.DoorToDoor, seconds(r.MaxWalk), r.Return, r.Outward, r.Note, r.State, &way}
}

func (b requestBody) request(by carpool.By) carpool.Request {
	return carpool.Request{Rider: by.Member, By: by.Account, From: b.From, To: b.To, When: b.When, Companions: b.Companions, Needs: b.Needs,
		DoorToDoor: b.DoorToDoor, MaxWalk: span(b.MaxWalkS), Return: b.Return, Note: b.Note}
}
