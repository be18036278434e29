// Package notify brings the portal's notices to people: e-mail, App IO, SMS,
// the desk's voice, calendars, each in the language of who is told.
package notify
