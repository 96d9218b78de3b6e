// Package state is the lab's folder: where everything that outlives a process lies, and how a running lab is recognised.
package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ACME is the lab's ACME server, in status and folder.
const ACME = "acme"

// Dir is the state folder of one lab.
type Dir string

// Find returns $LAB_STATE, or the folder in the user's state directory.
func Find() (Dir, error) {
	if dir := os.Getenv("LAB_STATE"); dir != "" {
		abs, err := filepath.Abs(dir)
		return Dir(abs), err
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the lab's state: %w; set LAB_STATE", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return Dir(filepath.Join(base, "spire-federation-lab")), nil
}

func (d Dir) path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Kubeconfig has a context for every cluster.
func (d Dir) Kubeconfig() string { return d.path("kubeconfig") }

// KeeperLog has the output of the lab's first process.
func (d Dir) KeeperLog() string { return d.path("keeper.log") }

// CA is the folder of the lab's web CA.
func (d Dir) CA() string { return d.path("ca") }

// Roots is all that pods trust: the web CA, which stands for the public ones, and the ACME server's root.
func (d Dir) Roots() string { return d.path("ca", "roots.crt") }

// Bundle is the machine's CA bundle and the lab's roots, for the commands that run in the lab.
func (d Dir) Bundle() string { return d.path("ca", "bundle.crt") }

// Etc is the folder of the files that commands in the lab see in place of those of /etc.
func (d Dir) Etc() string { return d.path("etc") }

// HostPathVolumes is where the hostPath provisioner's volumes end up.
func (d Dir) HostPathVolumes() string { return d.path("hostpath_pv") }

// Cluster is the folder of one cluster, or of the ACME server.
func (d Dir) Cluster(name string) string { return d.path(name) }

// PKI is the folder of a cluster's certificates.
func (d Dir) PKI(cluster string) string { return d.path(cluster, "pki") }

// ClusterLog has the output of a cluster's own process: node, services, manifests.
func (d Dir) ClusterLog(cluster string) string { return d.path(cluster, "lab-cluster.log") }

// ACMELog has the output of the ACME server.
func (d Dir) ACMELog() string { return d.path(ACME, "pebble.log") }

// SetKeeper notes the process id of the lab's first process, as the machine sees it.
func (d Dir) SetKeeper(pid int) error {
	return os.WriteFile(d.path("keeper.pid"), []byte(strconv.Itoa(pid)+"\n"), 0o600)
}

// KeeperPID is what SetKeeper noted.
func (d Dir) KeeperPID() (int, error) {
	text, err := os.ReadFile(d.path("keeper.pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Tail returns the last lines of a log.
func Tail(file string, lines int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
