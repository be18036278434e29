package carpool

import "time"

// Member is somebody who drives or rides. The account that signs in, if there
// is one, has a name that says nothing about the person.
type Member struct {
	ID       MemberID    `json:"id"`
	Account  string      `json:"account,omitempty"` // "": the desk acts for them
	First    string      `json:"first"`
	Last     string      `json:"last"`
	Phone    string      `json:"phone,omitempty"` // E.164, "+39…"
	Landline bool        `json:"landline"`        // the phone takes no SMS
	Family   bool        `json:"family"`          // it is shared at home: another member may have it too
	Email    string      `json:"email,omitempty"`
	Fiscal   string      `json:"fiscal,omitempty"` // fiscal code, only for App IO and by consent
	Comune   string      `json:"comune"`           // ISTAT code of where they live or work
	Minor    bool        `json:"minor"`
	Guardian MemberID    `json:"guardian,omitempty"` // of a minor
	Needs    Needs       `json:"needs"`
	Trusted  Contact     `json:"trusted"`  // told when something goes wrong, if they wish
	Channels []Channel   `json:"channels"` // how to reach them, the first that works
	Lang     string      `json:"lang"`     // "it" or "en"
	Large    bool        `json:"large"`    // large type
	State    MemberState `json:"state"`
	Created  time.Time   `json:"created"`
}

// Shown is the name others see before a booking is accepted: the first name.
func (m Member) Shown() string { return m.First }

// Contact is a person to call.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Channel is a way to reach somebody.
type Channel string

const (
	ByMail  Channel = "mail"
	ByIO    Channel = "io"
	BySMS   Channel = "sms"
	ByVoice Channel = "voce" // the desk calls
)

// MemberState is whether somebody takes part.
type MemberState string

const (
	Active    MemberState = "active"
	Suspended MemberState = "suspended"
	Gone      MemberState = "gone" // deleted: nothing personal is left
)

// Consent is what somebody agreed to, when and how.
type Consent struct {
	ID        string     `json:"id"`
	Member    MemberID   `json:"member"`
	What      ConsentTo  `json:"what"`
	How       string     `json:"how"` // "page", "voice", "paper"
	By        string     `json:"by"`  // account that wrote it down
	At        time.Time  `json:"at"`
	Withdrawn *time.Time `json:"withdrawn,omitempty"`
}

// ConsentTo is what is agreed to.
type ConsentTo string

const (
	ConsentTerms ConsentTo = "terms" // take part, privacy notice read
	ConsentDesk  ConsentTo = "desk"  // the desk books for me
	ConsentCheck ConsentTo = "check" // the police look at my documents
	ConsentIO    ConsentTo = "io"    // my fiscal code goes to App IO
	ConsentMinor ConsentTo = "minor" // the guardian lets the minor ride
)

// Vehicle is a car of a driver.
type Vehicle struct {
	ID      VehicleID    `json:"id"`
	Driver  MemberID     `json:"driver"`
	Plate   string       `json:"plate"`
	Label   string       `json:"label"` // "Panda rossa": to know it by
	Class   VehicleClass `json:"class"`
	Seats   int          `json:"seats"` // beside the driver
	Carries Needs        `json:"carries"`
	Gone    bool         `json:"gone,omitempty"` // taken out; rides of the past still name it
}

// VehicleClass is a row of the table of costs.
type VehicleClass string

// Check is one look at a driver's and a car's papers. Only dates and the
// outcome are kept; pictures go with the decision.
type Check struct {
	ID         string     `json:"id"`
	Driver     MemberID   `json:"driver"`
	Vehicle    VehicleID  `json:"vehicle"`
	State      CheckState `json:"state"`
	Licence    Date       `json:"licence_until"` // last day it is valid
	Insurance  Date       `json:"insurance_until"`
	Roadworthy Date       `json:"roadworthy_until"` // revisione
	Reason     string     `json:"reason,omitempty"` // of a refusal
	Officer    string     `json:"officer,omitempty"`
	Asked      time.Time  `json:"asked"`
	Decided    *time.Time `json:"decided,omitempty"`
}

// Until is the last day on which all three papers are valid.
func (c Check) Until() Date { return min(c.Licence, c.Insurance, c.Roadworthy) }

// CheckState is where a check stands.
type CheckState string

const (
	CheckWaiting CheckState = "waiting"
	CheckPassed  CheckState = "passed"
	CheckRefused CheckState = "refused"
	CheckVoid    CheckState = "void"    // the plate changed, a newer one was asked, or the driver left
	CheckOver    CheckState = "expired" // a paper has run out
)
