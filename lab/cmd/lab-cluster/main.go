// Command lab-cluster is one cluster of the lab: it runs the control plane, puts in what the cluster starts with, and is
// its node and its network. The keeper starts it in the cluster's network namespace.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"spire-federation/lab/internal/kubelet"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/internal/state"
)

// servicesNamespace is the descriptor that the keeper hands over.
const servicesNamespace = 3

// init keeps main on the first thread, whose namespaces are those that /proc shows.
func init() { runtime.LockOSThread() }

func main() {
	kubelet.ShimMain()
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	syscall.CloseOnExec(servicesNamespace)
	index := flag.Int("index", 0, "number of the cluster")
	dir := flag.String("state", "", "the lab's state folder")
	flag.Parse()
	lab, err := state.Dir(*dir).Lab()
	if err != nil || *index < 1 || *index > lab.Clusters {
		log.Print("lab-cluster is started by `lab up`")
		os.Exit(2)
	}
	c := cluster{Lab: lab, plan: network.For(*index), state: state.Dir(*dir), services: netns.NsHandle(servicesNamespace), ready: make(chan struct{})}
	c.release = lab.Releases.Of(c.plan.Name)
	err = c.load()
	if err == nil {
		err = c.run(context.Background())
	}
	c.say(state.Failed, err)
	log.Print(err)
	os.Exit(1)
}

// cluster is what is known of it before it runs.
type cluster struct {
	state.Lab
	plan     network.Plan
	state    state.Dir
	release  release.Release
	services netns.NsHandle
	config   *rest.Config
	ready    chan struct{} // closed when everything was there once
}

// load reads the administrator's access; the limits on requests are the API server's business.
func (c *cluster) load() error {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(c.certs(), pki.Admin+".kubeconfig"))
	if err != nil {
		return err
	}
	config.QPS = -1
	c.config = config
	return nil
}

func (c *cluster) dir() string   { return c.state.Cluster(c.plan.Name) }
func (c *cluster) certs() string { return c.state.PKI(c.plan.Name) }

// say replaces what `lab up` and `lab status` read; a problem with that is only logged, as they will see the old state.
func (c *cluster) say(phase state.Phase, err error, waiting ...string) {
	s := state.Status{Name: c.plan.Name, Phase: phase, Waiting: waiting, ZTWIM: c.release.Version}
	if err != nil {
		s.Error = err.Error()
	}
	log.Print(phase, " ", strings.Join(waiting, ", "))
	if err := c.state.SetStatus(s); err != nil {
		log.Print(err)
	}
}
