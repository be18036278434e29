package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

func edgeCommand() *cli.Command {
	data := &cli.StringFlag{Name: "data", Usage: "data `FOLDER` of the edge that runs on this machine", Value: "./crinale-edge", EnvVars: []string{"CRINALE_EDGE_DATA"}}
	return &cli.Command{
		Name:  "edge",
		Usage: "the town hall goes on when the radio link does not",
		Subcommands: append([]*cli.Command{
			{
				Name:  "run",
				Usage: "answer for the services of a town hall until interrupted",
				Description: "Answers for the names in edge.yaml: out of what is saved where that is right,\n" +
					"from the origin where not, and says the age of what it gives when the link is\n" +
					"down. It never answers for a name that the file does not have.",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "config", Usage: "edge.yaml `FILE`", Required: true},
					data,
					&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8081", Usage: "`ADDRESS` to answer at; one that other machines can reach needs certificates in edge.yaml"},
					&cli.StringFlag{Name: "keys", Usage: "`FOLDER` with COMUNE.key files (64 hexadecimal digits) for services with encrypt: true"},
					&cli.StringFlag{Name: "metrics", Usage: "`ADDRESS` of this machine at which Prometheus reads /metrics, such as 127.0.0.1:9109"},
					logFlag(),
				},
				Action: runEdge,
			},
			{
				Name:      "check",
				Usage:     "read edge.yaml, start nothing",
				ArgsUsage: "FILE",
				Action:    checkEdge,
			},
			{
				Name:   "status",
				Usage:  "how the edge stands: its mode, its services, what is saved",
				Flags:  []cli.Flag{data, jsonFlag()},
				Action: edgeStatus,
			},
			{
				Name:  "purge",
				Usage: "forget saved answers by their address, its beginning, or a tag",
				Description: "Give exactly one of --url, --prefix and --tag. What is purged is asked for\n" +
					"again at the next request; while the link is down it is not there.",
				Flags: []cli.Flag{
					data,
					&cli.StringFlag{Name: "url", Usage: "`URL` as browsers ask for it, such as https://docs.example/albo/1"},
					&cli.StringFlag{Name: "prefix", Usage: "`URL` by which the addresses begin"},
					&cli.StringFlag{Name: "tag", Usage: "`TAG` of Surrogate-Key, Cache-Tag or Xkey, of all services"},
					jsonFlag(),
				},
				Action: edgePurge,
			},
			{
				Name:  "tell",
				Usage: "tell the edge how its link is, as the controller does",
				Description: "The word holds for 90 seconds, or until the edge sees otherwise, and goes\n" +
					"before that of the controller. For trials, and for work on the link that is\n" +
					"known before.",
				ArgsUsage: "up | down | narrow",
				Flags:     []cli.Flag{data, &cli.Float64Flag{Name: "mbps", Usage: "what the link carries now; half of it goes to what nobody waits for"}},
				Action:    edgeTell,
			},
			edgeQueueCommand(data),
			edgePeopleCommand(data),
			edgeWarmCommand(data),
			edgeMigrateCommand(),
			edgeEnrolCommand(),
			edgeOrderCommand(),
		}, snapshotCommands()...),
	}
}

func checkEdge(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("name one edge.yaml")
	}
	p, err := readPolicy(c.Args().First())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "Edge %s of comune %s, %d services.\n", p.Name, p.Comune, len(p.Services))
	for _, s := range p.Services {
		fmt.Fprintf(c.App.Writer, "  %s from %s; offline: %s\n", s.Host, s.Origin, s.Offline.Rule)
	}
	return nil
}

func readPolicy(path string) (edge.Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return edge.Policy{}, fault.New(fault.NotFound, "edge.yaml: %w", err)
	}
	return edge.ParsePolicy(path, data)
}

// edgeStanding is the answer of a running edge to edge status --json.
type edgeStanding struct {
	Name     string        `json:"name"`
	Comune   string        `json:"comune"`
	Mode     string        `json:"mode"`
	Way      string        `json:"way"`
	Since    time.Time     `json:"since"`
	Why      string        `json:"why"`
	Waiting  int           `json:"waiting"` // writes that wait to be sent
	Services []edgeService `json:"services"`
	Store    edgeStore     `json:"store"`
	Second   *edgeSecond   `json:"second_way"`
	Saved    edgeSaved     `json:"saved"`
	// Controller is null where edge.yaml names none.
	Controller *edgeHeard `json:"controller"`
}

// edgeSaved is what did not have to cross the link this month, and in others.
type edgeSaved struct {
	Given   int64             `json:"given_bytes"`
	Fetched int64             `json:"fetched_bytes"`
	Minutes float64           `json:"link_minutes"` // for which Given would fill the link
	Euro    float64           `json:"euro"`         // that Given would cost on the second way
	Months  []edge.SavedMonth `json:"months"`       // by comune
}

type edgeService struct {
	Host      string     `json:"host"`
	Comune    string     `json:"comune"`
	Offline   string     `json:"offline"`
	LostSince *time.Time `json:"lost_since"`
	Requests  int64      `json:"requests"`
	Hits      int64      `json:"hits"`
	GivenB    int64      `json:"given_bytes"`
	FetchedB  int64      `json:"fetched_bytes"`
	StoredB   int64      `json:"stored_bytes"`
}

type edgeStore struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
	MostB   int64 `json:"most_bytes"`
	Stored  int64 `json:"stored"`
	Evicted int64 `json:"evicted"`
	Faults  int64 `json:"faults"` // of the disk or the index
	Damaged int64 `json:"damaged"`
	MemoryN int64 `json:"memory_hits"`
	DiskN   int64 `json:"disk_hits"`
	MissesN int64 `json:"misses"`
	Pending int   `json:"index_pending"`
}

type edgeSecond struct {
	SpentB    int64   `json:"spent_bytes"`
	CapB      int64   `json:"cap_bytes"`
	EuroPerGB float64 `json:"euro_per_gb"`
	Euro      float64 `json:"euro"`
}

func edgeStatus(c *cli.Context) error {
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	var s edgeStanding
	if err := cl.call(c.Context, "GET", "/edge/status", nil, &s); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, s)
	}
	w := c.App.Writer
	fmt.Fprintf(w, "Edge %s (comune %s): %s by the %s way, for %s.\n  %s\n\n", s.Name, s.Comune, s.Mode, s.Way, ago(time.Since(s.Since)), s.Why)
	if h := s.Controller; h != nil {
		fmt.Fprintf(w, "%s\n", h)
	}
	rows := [][]string{{"SERVICE", "ORIGIN", "REQUESTS", "HITS", "SAVED", "OFFLINE"}}
	for _, v := range s.Services {
		origin := "answers"
		if v.LostSince != nil {
			origin = "lost " + ago(time.Since(*v.LostSince))
		}
		hits := "-"
		if v.Requests > 0 {
			hits = fmt.Sprintf("%d%%", 100*v.Hits/v.Requests)
		}
		rows = append(rows, []string{clip(v.Host, 30), origin, fmt.Sprint(v.Requests), hits, megabytes(v.StoredB), v.Offline})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nSaved: %d answers, %s of %s.", s.Store.Objects, megabytes(s.Store.Bytes), megabytes(s.Store.MostB))
	if n := s.Store.Faults + s.Store.Damaged; n > 0 {
		fmt.Fprintf(w, " The disk failed %d times, %d answers were damaged and dropped: look at it.", s.Store.Faults, s.Store.Damaged)
	}
	fmt.Fprintln(w)
	if s.Saved.Given > 0 {
		fmt.Fprintf(w, "This month: %s did not cross the link, %.0f minutes of it", megabytes(s.Saved.Given), s.Saved.Minutes)
		if s.Saved.Euro > 0 {
			fmt.Fprintf(w, " or %.2f euro of the second way", s.Saved.Euro)
		}
		fmt.Fprintf(w, "; %s did.\n", megabytes(s.Saved.Fetched))
	}
	if s.Waiting > 0 {
		fmt.Fprintf(w, "%d writes wait to be sent: crinale edge queue list\n", s.Waiting)
	}
	if v := s.Second; v != nil {
		fmt.Fprintf(w, "Second way: %s of %s this month, %.2f euro.\n", megabytes(v.SpentB), megabytes(v.CapB), v.Euro)
	}
	return nil
}

func megabytes(n int64) string {
	if n < 10e6 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// edgePurgeOrder is what edge purge asks for, and purged its answer.
type edgePurgeOrder struct {
	Address string `json:"address,omitempty"` // host and path with query
	Prefix  string `json:"prefix,omitempty"`
	Tag     string `json:"tag,omitempty"`
	Service string `json:"service,omitempty"`
}

type edgePurged struct {
	Purged int `json:"purged"`
}

func edgePurge(c *cli.Context) error {
	var o edgePurgeOrder
	given := 0
	for _, f := range []struct {
		flag string
		into *string
	}{{"url", &o.Address}, {"prefix", &o.Prefix}} {
		text := c.String(f.flag)
		if text == "" {
			continue
		}
		given++
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			return usage("--%s %q: write it as https://docs.example/path", f.flag, text)
		}
		if f.flag == "prefix" && u.Path == "" {
			u.Path = "/"
		}
		*f.into = strings.ToLower(u.Host) + u.RequestURI()
		o.Service = strings.ToLower(u.Host)
	}
	if t := c.String("tag"); t != "" {
		given++
		o.Tag = t
	}
	if given != 1 {
		return usage("give one of --url, --prefix and --tag")
	}
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	var p edgePurged
	if err := cl.call(c.Context, "POST", "/edge/purge", o, &p); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, p)
	}
	fmt.Fprintf(c.App.Writer, "%d saved answers were forgotten.\n", p.Purged)
	return nil
}

// edgeWord is what edge tell says.
type edgeWord struct {
	Up     bool    `json:"up"`
	Narrow bool    `json:"narrow"`
	Mbps   float64 `json:"mbps,omitempty"`
}

func edgeTell(c *cli.Context) error {
	words := map[string]edgeWord{"up": {Up: true}, "down": {}, "narrow": {Up: true, Narrow: true}}
	word, ok := words[c.Args().First()]
	if !ok || c.NArg() != 1 {
		return usage("say up, down or narrow")
	}
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	word.Mbps = c.Float64("mbps")
	if !(word.Mbps >= 0) || word.Mbps > 1e6 {
		return usage("--mbps %v: write what the link carries, such as 30", word.Mbps)
	}
	return cl.call(c.Context, "POST", "/edge/word", word, nil)
}
