package spine

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/crinale/crinale/internal/fault"
)

// User is someone who may read some topics.
type User struct {
	Name string   // [a-z0-9-], at most 63 long
	Hash string   // bcrypt hash of the password
	Read []string // MQTT topic filters, each level [a-z0-9-], + or, at the end, #
}

var (
	userName    = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)
	topicFilter = regexp.MustCompile(`^([a-z0-9-]+|\+)(/([a-z0-9-]+|\+))*(/#)?$`)
	bcryptHash  = regexp.MustCompile(`^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$`)
)

// SetPartners makes users the whole list of those who may connect, besides the
// internal one. Connections of users that are gone, or whose hash is another,
// are closed, and the sessions of those that are gone are dropped soon after;
// those of all others live on and lose no message. Before Run it only notes
// them.
func (s *Spine) SetPartners(users []User) error {
	seen := map[string]bool{}
	for _, u := range users {
		switch {
		case !userName.MatchString(u.Name):
			return fault.New(fault.Invalid, "user %q of the message broker: a name has only a-z, 0-9 and -, at most 63 of them", u.Name)
		case seen[u.Name]:
			return fault.New(fault.Invalid, "user %q of the message broker stands in the list twice", u.Name)
		case !bcryptHash.MatchString(u.Hash):
			return fault.New(fault.Invalid, "user %q of the message broker: its password must be given as a bcrypt hash", u.Name)
		}
		for _, f := range u.Read {
			if !topicFilter.MatchString(f) {
				return fault.New(fault.Invalid, "user %q of the message broker: %q is not a topic filter of a-z, 0-9, -, + and a last #", u.Name, f)
			}
		}
		seen[u.Name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append([]User(nil), users...)
	s.change++
	return s.reload()
}

// reload puts the users into the running server. The lock is held.
func (s *Spine) reload() error {
	if s.srv == nil {
		return nil
	}
	o := s.opts.Clone()
	o.Users = serverUsers(s.password, s.key, s.users)
	if err := s.srv.ReloadOptions(o); err != nil {
		return fmt.Errorf("set users of the message broker: %w", err)
	}
	if s.front != nil {
		s.front.ring()
	}
	return nil
}

// serverUsers gives each user its permissions. What is not allowed is denied.
// The internal password is plain text here: it is random, is born with the
// process, and is written nowhere. key is the end of each other name: see
// front.
func serverUsers(password, key string, users []User) []*server.User {
	list := []*server.User{{Username: internalUser, Password: password}}
	for _, u := range users {
		allow := []string{"$MQTT.sub.>"} // where the server delivers QoS 1; it refuses to subscribe to it
		for _, f := range u.Read {
			allow = append(allow, subjects(f)...)
		}
		list = append(list, &server.User{
			Username: u.Name + key,
			Password: u.Hash,
			Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Deny: []string{">"}},
				Subscribe: &server.SubjectPermission{Allow: allow},
			},
			AllowedConnectionTypes: map[string]struct{}{"MQTT": {}},
		})
	}
	return list
}

// subjects are the NATS subjects of an MQTT filter: a/b/# is a.b.> and, since
// it includes its parent level, a.b.
func subjects(filter string) []string {
	s := strings.ReplaceAll(strings.ReplaceAll(filter, "/", "."), "+", "*")
	if parent, ok := strings.CutSuffix(s, ".#"); ok {
		return []string{parent + ".>", parent}
	}
	return []string{s}
}
