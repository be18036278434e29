package carpool

// What tests outside the package need of its inside.

// CleanName is a name of a person as it is kept.
func CleanName(s string) (string, error) { return cleanName("name", s, maxName, true) }

// Mask is a text without numbers, addresses of mail and links.
var Mask = mask

// Clean is a picture drawn anew.
var Clean = cleanPicture

// Holdings of the package.
func Holdings() []Holding { return base{}.holdings() }

// NotPersonal are the tables that hold nobody.
var NotPersonal = notPersonal
