package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
)

// agreed asks on a terminal; where nobody can be asked, the command itself is
// the answer.
func agreed(c *cli.Context) bool {
	in, ok := c.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return true
	}
	fmt.Fprint(c.App.ErrWriter, "Change these devices? [y/N] ")
	line, _ := bufio.NewReader(in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "s", "sì", "si":
		return true
	}
	return false
}

// follow tells each step of a change on stderr until it has ended, then its
// outcome. A server that goes away in the middle is asked again: the devices
// look after themselves.
func follow(c *cli.Context, cl *client, r controller.ChangeRecord) error {
	told, asked := 0, false
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	var silent time.Time
	moved := time.Now() // when its journal last had something new
	long := time.Duration(r.HoldS*float64(time.Second)) + 30*time.Second
	for {
		if told < len(r.Events) {
			moved = time.Now()
		}
		for ; told < len(r.Events); told++ {
			e := r.Events[told]
			writeEvent(c.App.ErrWriter, e)
		}
		if by, ok := r.ConfirmBy(); ok && r.State == controller.ChangeWaiting && !asked {
			asked = true
			fmt.Fprintf(c.App.ErrWriter, "          until %s keep it with: crinale network confirm %s\n", by.Local().Format("15:04:05"), r.ID)
		}
		if r.State.Ended() {
			return outcome(c, r)
		}
		if stuck(r.State) && silent.IsZero() && time.Since(moved) > long {
			return fault.New(fault.Unconfirmed, "change %s: its hold is over, and the server cannot write down its end: see its log, and the disk it is on. What was not confirmed has gone back on the devices themselves; look with crinale network diff", r.ID)
		}
		select {
		case <-c.Context.Done():
			return fault.New(fault.Unconfirmed, "change %s goes on without you: see crinale network history %s, or undo it with crinale network revert %s", r.ID, r.ID, r.ID)
		case <-tick.C:
		}
		var next controller.ChangeRecord
		err := cl.call(c.Context, http.MethodGet, "/api/v1/changes/"+url.PathEscape(r.ID), nil, &next)
		switch {
		case err == nil:
			r, silent = next, time.Time{}
		case errors.Is(c.Context.Err(), context.Canceled):
		case fault.Of(err) != fault.Unreachable:
			return err
		case silent.IsZero():
			silent = time.Now()
			fmt.Fprintln(c.App.ErrWriter, "          the server does not answer; what is not confirmed goes back by itself")
		case time.Since(silent) > time.Duration(r.HoldS*float64(time.Second))+15*time.Second:
			return fault.New(fault.Unreachable, "change %s: the server is away; by now every device that was not confirmed has gone back by itself. Start the server, then look with crinale network history %s", r.ID, r.ID)
		}
	}
}

// stuck says whether a change in this state has something new in its journal
// within its hold, whatever its devices do.
func stuck(s controller.ChangeState) bool {
	return s != controller.ChangePlanned && s != controller.ChangeConfirming && s != controller.ChangeUndoing
}

// outcome prints how a change ended and gives the exit code of that.
func outcome(c *cli.Context, r controller.ChangeRecord) error {
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, r); err != nil {
			return err
		}
	} else if r.State == controller.ChangeConfirmed {
		for _, line := range fold(fmt.Sprintf("%s: %s", r.ID, r.Outcome), 78) {
			fmt.Fprintln(c.App.Writer, line)
		}
	}
	return unkept(r)
}

// unkept is nil for a change that stays, else the error of its end; the steps
// and the outcome were told before.
func unkept(r controller.ChangeRecord) error {
	kind := fault.Unconfirmed
	switch {
	case r.State == controller.ChangeConfirmed:
		return nil
	case r.Cause == controller.CauseUnreachable:
		kind = fault.Unreachable
	case r.Cause == controller.CauseRefused, r.State == controller.ChangeFailed:
		kind = fault.Refused
	}
	return fault.New(kind, "change %s did not stay (%s)\nall of it: crinale network history %s", r.ID, r.State, r.ID)
}
