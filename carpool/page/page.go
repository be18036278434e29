// Package page draws the portal: the pages of residents, of the desk, of the
// local police and of those who manage it.
package page
