package state

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Phase is how far a cluster is, or the ACME server.
type Phase string

const (
	Starting Phase = "starting"
	Ready    Phase = "ready"    // everything the lab brings answers
	Degraded Phase = "degraded" // was ready once, now something is missing
	Failed   Phase = "failed"   // its process has ended
)

// Status is what a cluster says of itself, and the keeper of the ACME server, in a file that `lab up` and `lab status` read.
type Status struct {
	Name    string   `json:"name"`
	Phase   Phase    `json:"phase"`
	Waiting []string `json:"waitingFor,omitempty"`
	Error   string   `json:"error,omitempty"`
	ZTWIM   string   `json:"ztwim,omitempty"` // the release that `lab up` has installed
}

func (d Dir) statusFile(cluster string) string { return d.path(cluster, "status.json") }

// SetStatus replaces a cluster's status; readers see the old one or the new one.
func (d Dir) SetStatus(s Status) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := d.statusFile(s.Name)
	next := filepath.Join(filepath.Dir(file), ".status.json")
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// Status reads a cluster's status; one that has not spoken yet is starting.
func (d Dir) Status(cluster string) Status {
	s := Status{Name: cluster, Phase: Starting, Waiting: []string{"its process"}}
	text, err := os.ReadFile(d.statusFile(cluster))
	if err != nil {
		return s
	}
	s.Waiting = nil
	if err := json.Unmarshal(text, &s); err != nil {
		s.Error = err.Error()
	}
	return s
}
