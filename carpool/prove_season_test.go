package carpool_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
)

func seasonNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number above 0", name, v)
	}
	return n
}

// TestSeasonChild is the process that is killed: it lives on in SEASON_DIR.
func TestSeasonChild(t *testing.T) {
	dir := os.Getenv("SEASON_DIR")
	if dir == "" {
		t.Skip("run by make prove-season")
	}
	s := openSeason(t, dir, uint64(seasonNumber(t, "SEASON_SEED", 1)), seasonNumber(t, "SEASON_WEEKS", 1))
	s.live(func(i int) { fmt.Println("hour", i) })
}

// TestProveSeason lives through N weeks (26) of 200 residents, 15 drivers and 40
// requests a week, is killed twice a week, 50 times at most, by the clock of
// chance, and then counts: nobody was left without a stated way, whatever befell
// them (each hour judge asks of everybody whether it is true), nothing that
// was noted is lost, every notice was heard, and how many got a lift.
func TestProveSeason(t *testing.T) {
	if os.Getenv("PROVE") != "season" {
		t.Skip("run by make prove-season")
	}
	weeks := seasonNumber(t, "N", 26)
	kills := min(50, 2*weeks)
	seed := uint64(seasonNumber(t, "SEED", 1))
	dir := t.TempDir()
	dice := rand.New(rand.NewPCG(seed, 50))
	hours := (weeks*7 + 2) * (seasonSleeps - seasonWakes + 1)
	points := make([]int, kills) // hours after which the process is killed
	for i := range points {
		points[i] = dice.IntN(hours)
	}
	slices.Sort(points)
	killed := 0
	for ended := false; !ended; {
		stop := -1
		if killed < len(points) {
			stop = points[killed]
		}
		ended = liveOn(t, dir, seed, weeks, stop, time.Duration(dice.IntN(30))*time.Millisecond)
		if !ended {
			killed++
		}
	}
	count(t, dir, seed, weeks, killed)
}

// liveOn runs the child until it ends, or kills it a moment after an hour; it
// says whether the season is over.
func liveOn(t *testing.T, dir string, seed uint64, weeks, stop int, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSeasonChild$", "-test.timeout", "60m")
	cmd.Env = append(os.Environ(), "SEASON_DIR="+dir, fmt.Sprintf("SEASON_SEED=%d", seed), fmt.Sprintf("SEASON_WEEKS=%d", weeks))
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said []string
	killed := false
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "hour ")
		if !ok {
			said = append(said, lines.Text())
			continue
		}
		if h, err := strconv.Atoi(n); err == nil && stop >= 0 && h >= stop && !killed {
			killed = true
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	if killed && err != nil && cmd.ProcessState.ExitCode() == -1 {
		return false
	}
	if err != nil {
		t.Fatalf("the season ended: %v\n%s\n%s", err, strings.Join(said, "\n"), talk.String())
	}
	return true
}

// count holds the database against the notes.
func count(t *testing.T, dir string, seed uint64, weeks, killed int) {
	t.Helper()
	s := openSeason(t, dir, seed, weeks)
	end := s.moments()
	s.at(end[len(end)-1])
	trips, refused, plain, legs := 0, 0, 0, 0
	for k, v := range s.noted {
		switch {
		case strings.HasPrefix(k, "plain "):
			if legs++; v != "0" {
				plain++
			}
		case strings.HasPrefix(k, "trip-") && strings.HasPrefix(v, "refused"):
			refused++
		case strings.HasPrefix(k, "trip-"):
			trips++
		}
	}
	ways, err := s.ways()
	if err != nil {
		t.Fatal(err)
	}
	s.listen()
	told, twice := len(s.ears), 0
	for _, n := range s.ears {
		if n > 1 {
			twice++
		}
	}
	left, err := s.portal.Bookings.LeftBehind(t.Context())
	if err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v %v", left, err)
	}
	all := 0
	for _, n := range ways {
		all += n
	}
	if trips == 0 || all < trips || told == 0 || killed == 0 || ways["a lift"] == 0 {
		t.Fatalf("nothing was proved: %d trips, %v, %d notices, %d kills", trips, ways, told, killed)
	}
	h := s.hardships(t)
	t.Logf("%d weeks, %d trips of %d ways (%d refused), killed %d times: 0 left without a stated way; stranded on the road %d, late %d, called aboard and never in %d, suspended away %d, their driver suspended %d, given up while away %d, all with a stated way that is true; a lift for %d %% of the ways, a plain same-place-same-hour match for %d %%; %v; %d notices heard, %d more than once, each shown once",
		weeks, trips, all, refused, killed, h["stranded"], h["late"], h["never"], h["suspended"], h["driver"], h["gave up"], 100*ways["a lift"]/all, 100*plain/max(legs, 1), ways, told, twice)
}

// hardships counts what befell people: each at least once, in some weeks.
func (s *season) hardships(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for k, v := range s.noted {
		switch what, _, _ := strings.Cut(k, " "); {
		case what == "stranded" || what == "never":
			out[what]++
		case what == "fate" && (late(v) || slow(v)):
			out["late"]++
		case what == "away" && v == "suspended":
			out["suspended"]++
		case what == "away":
			out["gave up"]++
		case strings.HasPrefix(k, "driver suspended "):
			out["driver"]++
		}
	}
	var spared []string
	for _, what := range append([]string{"gives up", "suspended", "driver"}, troubles...) {
		if s.noted["first "+what] == "" {
			spared = append(spared, what)
		}
	}
	if len(spared) > 2 || len(spared) > 0 && s.plan.weeks >= 4 { // a single week may lack one
		t.Errorf("nothing was proved of %q: it befell nobody", spared)
	}
	return out
}

// ways counts the ways asked for by how they ended, and finds every trip that
// was noted.
func (s *season) ways() (map[string]int, error) {
	out := map[string]int{}
	err := s.db.View(s.t.Context(), func(tx *store.Tx) error {
		there := map[string]bool{}
		clear(out)
		rows, err := tx.Query(s.t.Context(), `SELECT id, state FROM carpool_requests`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, state string
			if err := rows.Scan(&id, &state); err != nil {
				return err
			}
			there[id] = true
			switch {
			case s.noted["rode "+id] != "":
				out["a lift"]++
			case s.noted["went "+id] != "":
				out["bus or list"]++
			case state == string(carpool.RequestWithdrawn):
				out["given up"]++
			default:
				out["not taken, or to come"]++
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for k, v := range s.noted {
			if strings.HasPrefix(k, "trip-") && !strings.HasPrefix(v, "refused") && !there[v] {
				return fmt.Errorf("%s, noted as %s, is lost", k, v)
			}
		}
		return nil
	})
	return out, err
}
