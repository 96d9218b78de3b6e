package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/state"
)

// report is what `lab status --json` prints.
type report struct {
	Running  bool         `json:"running"`
	State    string       `json:"state"`
	Clusters []partReport `json:"clusters"`
	ACME     partReport   `json:"acme,omitzero"`
}

type partReport struct {
	state.Status
	Server string `json:"server"`
	Domain string `json:"domain,omitempty"`
}

// parts lists all that must be ready.
func (r report) parts() []partReport { return append(slices.Clone(r.Clusters), r.ACME) }

// status says what runs.
func status(args []string) int {
	flags := flag.NewFlagSet("status", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	if code, goOn := parse(flags, args); !goOn {
		return code
	}
	dir, err := state.Find()
	if err != nil {
		return fail("lab status", err)
	}
	r := reportOf(dir)
	if *asJSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(r); err != nil {
			return fail("lab status", err)
		}
	} else {
		fmt.Print(r)
	}
	if !r.allReady() {
		return failed
	}
	return ok
}

func reportOf(dir state.Dir) report {
	r := report{Running: dir.Running(), State: string(dir), Clusters: []partReport{}}
	if !r.Running {
		return r
	}
	lab, _ := dir.Lab() // not there yet when `lab up` has just begun
	for _, plan := range network.All(lab.Clusters) {
		r.Clusters = append(r.Clusters, partReport{Status: dir.Status(plan.Name), Server: plan.Server(), Domain: plan.Domain})
	}
	r.ACME = partReport{Status: dir.Status(state.ACME), Server: "https://" + network.ACMEHost + "/directory"}
	return r
}

func (r report) allReady() bool {
	for _, c := range r.parts() {
		if c.Phase != state.Ready {
			return false
		}
	}
	return r.Running
}

func (r report) String() string {
	if !r.Running {
		return fmt.Sprintf("no lab runs on %s\n", r.State)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "lab on %s\n", r.State)
	for _, c := range r.parts() {
		fmt.Fprintf(&text, "%-10s %-8s %s", c.Name, c.Phase, c.Server)
		if c.Domain != "" {
			fmt.Fprintf(&text, "  *.%s", c.Domain)
		}
		if c.ZTWIM != "" {
			fmt.Fprintf(&text, "  ZTWIM %s", c.ZTWIM)
		}
		text.WriteByte('\n')
		for _, missing := range c.Waiting {
			fmt.Fprintf(&text, "    waits for %s\n", missing)
		}
		if c.Error != "" {
			fmt.Fprintf(&text, "    %s\n", strings.ReplaceAll(c.Error, "\n", "\n    "))
		}
	}
	return text.String()
}

// contexts lists the kube contexts.
func (r report) contexts() string {
	var names []string
	for _, c := range r.Clusters {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// pending says in one line what is not ready yet.
func (r report) pending() string {
	var parts []string
	for _, c := range r.parts() {
		if c.Phase != state.Ready {
			parts = append(parts, fmt.Sprintf("%s waits for %s", c.Name, strings.Join(c.Waiting, ", ")))
		}
	}
	return strings.Join(parts, "; ")
}
