// Package keeper is the lab's first process: PID 1 of namespaces of its own. It builds the network, answers DNS, starts
// the ACME server and one process per cluster, and reaps. When it ends, the kernel ends everything else of the lab.
package keeper

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/dns"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/state"
)

// Files that `lab up` hands to the keeper, by descriptor.
const (
	Lock     = 3 // of the state folder, held as long as the keeper lives
	Lifeline = 4 // one byte says that the lab may live on by itself; its end without one says that `lab up` is gone
	Until    = 5 // process descriptor of --until-exit-of, if there is one
)

// keeper is what the lab's first process needs to know.
type keeper struct {
	state.Lab
	dir state.Dir
}

// Run keeps the lab of a state folder until it is told to end, `lab up` dies before the lab is ready, or the process of
// --until-exit-of ends, if hasUntil.
func Run(dir state.Dir, hasUntil bool) error {
	for _, fd := range []int{Lock, Lifeline, Until} {
		syscall.CloseOnExec(fd)
	}
	reasons := endings(hasUntil)
	lab, err := dir.Lab()
	if err != nil {
		return err
	}
	if err := (keeper{lab, dir}).start(); err != nil {
		return err
	}
	why := <-reasons
	log.Printf("the lab ends: %s", why)
	killAll()
	if why == untilEnded { // nobody is left to call `lab down`
		return os.RemoveAll(string(dir))
	}
	return nil
}

func (k keeper) start() error {
	if err := mounts(k.dir); err != nil {
		return err
	}
	clusters, err := network.Up(k.Clusters)
	if err != nil {
		return fmt.Errorf("build the network: %w", err)
	}
	packets, streams, err := dns.Listen(net.JoinHostPort(network.Keeper.Addr().String(), "53"))
	if err != nil {
		return err
	}
	go func() {
		log.Printf("DNS: %v", dns.ServeZone(context.Background(), packets, streams, dns.World(k.Clusters)))
	}()
	children := newChildren()
	if err := k.startACME(children); err != nil {
		return err
	}
	for _, cluster := range clusters {
		if err := k.startCluster(children, cluster); err != nil {
			return fmt.Errorf("%s: %w", cluster.Name, err)
		}
	}
	return nil
}

// startCluster runs a cluster's process in its network namespace, with the one of its services as file 3.
func (k keeper) startCluster(children *children, cluster network.Cluster) error {
	argv := []string{
		filepath.Join(k.Toolchain, "bin", "lab-cluster"),
		"-index", strconv.Itoa(cluster.Index), "-state", string(k.dir),
	}
	return network.In(cluster.Node, func() error {
		return k.run(children, cluster.Name, k.dir.ClusterLog(cluster.Name), argv, uintptr(cluster.Services))
	})
}

// run starts a part of the lab, with a file 3 of its own; when it ends, its status says so.
func (k keeper) run(children *children, name, logFile string, argv []string, file3 uintptr) error {
	output, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	input, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer input.Close()
	attr := &syscall.ProcAttr{
		Dir:   k.dir.Cluster(name),
		Env:   cleanEnv(),
		Files: []uintptr{input.Fd(), output.Fd(), output.Fd(), file3},
	}
	return children.start(argv, attr, func(status syscall.WaitStatus) { k.ended(name, logFile, describeExit(status)) })
}

// ended notes why a part is gone; the others live on.
func (k keeper) ended(name, logFile, how string) {
	log.Printf("%s: its process has ended %s", name, how)
	if k.dir.Status(name).Phase == state.Failed {
		return // it has said why itself
	}
	last := state.Tail(logFile, 20)
	failed := state.Status{Name: name, Phase: state.Failed, ZTWIM: k.dir.Status(name).ZTWIM,
		Error: fmt.Sprintf("its process has ended %s; last lines of its log:\n%s", how, last)}
	if err := k.dir.SetStatus(failed); err != nil {
		log.Print(err)
	}
}

// cleanEnv is all that the lab's own processes see of the caller's environment. (OLM, for one, panics where CI is set.)
// A cluster is some twenty Go programs that mostly wait: each on one core, waking costs a sixth less. They are small, but
// for the API server, and collect garbage often for the little there is.
func cleanEnv() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C.UTF-8", "GOMAXPROCS=1", "GOGC=400"}
}

const untilEnded = "the process it was started for has ended"

// endings delivers the first reason to end.
func endings(hasUntil bool) <-chan string {
	reasons := make(chan string, 3)
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	go func() { reasons <- fmt.Sprintf("told so by signal (%s)", <-told) }()
	go func() {
		if _, err := io.ReadFull(os.NewFile(Lifeline, "lifeline"), make([]byte, 1)); err != nil {
			reasons <- "`lab up` has ended before the lab was ready"
		}
	}()
	if hasUntil {
		go func() {
			if waitExit(Until) == nil {
				reasons <- untilEnded
			}
		}()
	}
	return reasons
}

// waitExit returns when the process of a process descriptor has ended.
func waitExit(pidfd int) error {
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			return err
		}
	}
}
