package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/fabric"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/internal/state"
)

// plan is what `lab up` was asked for.
type plan struct {
	dir          state.Dir
	toolchain    string
	clusters     int
	operator     string
	trustDomains fabric.TrustDomains
	releases     release.PerCluster
	until        *os.File // process descriptor of --until-exit-of, if there is one
}

// up starts the lab and returns when its clusters are ready, or when nothing of it is left.
func up(args []string) int {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	clusters := flags.Int("clusters", 2, "")
	operator := flags.String("ztwim-operator", "", "")
	trustDomains := fabric.TrustDomains{}
	flags.Var(trustDomains, "trust-domain", "")
	releases := release.PerCluster{}
	flags.Var(releases, "ztwim", "")
	until := flags.Int("until-exit-of", 0, "")
	if code, goOn := parse(flags, args); !goOn {
		return code
	}
	if *clusters < 1 || *clusters > fabric.MaxClusters {
		return usage(fmt.Sprintf("lab up: --clusters %d: 1 to %d are possible", *clusters, fabric.MaxClusters))
	}
	for flag, of := range map[string]map[string]string{"trust-domain": trustDomains, "ztwim": releases} {
		for cluster := range of {
			if cluster != "" && !slices.ContainsFunc(fabric.All(*clusters), func(p fabric.Plan) bool { return p.Name == cluster }) {
				return usage(fmt.Sprintf("lab up: --%s %s=…: the lab has no such cluster", flag, cluster))
			}
		}
	}
	dir, toolchain, err := places()
	if err != nil {
		return fail("lab up", err)
	}
	p := plan{dir: dir, toolchain: toolchain, clusters: *clusters, operator: *operator, trustDomains: trustDomains, releases: releases}
	if err := p.check(); err != nil {
		return fail("lab up", err)
	}
	if *until != 0 {
		pidfd, err := unix.PidfdOpen(*until, 0)
		if err != nil {
			return fail("lab up", fmt.Errorf("--until-exit-of %d: %w", *until, err))
		}
		p.until = os.NewFile(uintptr(pidfd), "until")
		defer p.until.Close()
	}
	lock, err := dir.Lock()
	if errors.Is(err, state.ErrRunning) {
		return p.alreadyUp()
	}
	if err != nil {
		return fail("lab up", err)
	}
	defer lock.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := p.run(ctx, lock); err != nil {
		return fail("lab up", err)
	}
	fmt.Fprintf(os.Stderr, "lab up: %s ready; `lab shell` to look around, `lab down` to end\n", contexts(dir))
	return ok
}

// check names what is missing before anything is touched.
func (p *plan) check() error {
	if p.operator != "" {
		file, err := filepath.Abs(p.operator)
		if err != nil {
			return err
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("--ztwim-operator %s: not a program that can be run", p.operator)
		}
		p.operator = file
	}
	for _, program := range []string{"lab-cluster", "pebble", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		if _, err := os.Stat(filepath.Join(p.toolchain, "bin", program)); err != nil {
			return fmt.Errorf("the toolchain in %s has no %s; build it with lab/toolchain/build and set LAB_TOOLCHAIN to the folder that it prints", p.toolchain, program)
		}
	}
	return nil
}

// alreadyUp is the answer when the folder is taken.
func (p *plan) alreadyUp() int {
	running := reportOf(p.dir)
	switch {
	case len(running.Clusters) != p.clusters:
		return fail("lab up", fmt.Errorf("a lab with %d clusters runs on %s already; `lab down` first, or set LAB_STATE to another folder", len(running.Clusters), p.dir))
	case !p.hasReleases(running):
		return fail("lab up", fmt.Errorf("a lab with other releases of ZTWIM runs on %s already; `lab down` first, or set LAB_STATE to another folder", p.dir))
	case !running.allReady():
		return fail("lab up", fmt.Errorf("a lab is on %s already, but not ready; `lab status` says what it waits for, `lab down` ends it", p.dir))
	}
	fmt.Fprintf(os.Stderr, "lab up: runs already on %s\n", p.dir)
	return ok
}

// hasReleases says whether the clusters of a running lab started with the releases that are asked for.
func (p *plan) hasReleases(running report) bool {
	return !slices.ContainsFunc(running.Clusters, func(c partReport) bool {
		return c.ZTWIM != "" && c.ZTWIM != p.releases.Of(c.Name).Version
	})
}

// run starts the keeper and waits for the clusters. Unless all are ready at the end, the keeper and all it started are gone.
func (p *plan) run(ctx context.Context, lock *os.File) error {
	if err := sweep(p.dir); err != nil {
		return err
	}
	if err := prepare(p.dir, p.clusters); err != nil {
		return err
	}
	k, err := startKeeper(p, lock)
	if err != nil {
		return refused(err, os.Getuid(), sysctls)
	}
	err = p.waitReady(ctx, k)
	if err == nil {
		err = k.release()
	}
	if err == nil {
		return nil
	}
	if stopErr := k.stop(); stopErr != nil {
		err = errors.Join(err, stopErr)
	}
	if ctx.Err() != nil { // on purpose: nothing to look into
		err = errors.Join(err, p.dir.Clear(), os.RemoveAll(string(p.dir)))
	}
	return err
}

// waitReady polls what the clusters say of themselves, and tells what it waits for every other second.
func (p *plan) waitReady(ctx context.Context, k *keeperProcess) error {
	limit := 3*time.Minute + time.Duration(p.clusters)*30*time.Second
	begin, told, tick := time.Now(), time.Now(), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		r := reportOf(p.dir)
		if r.allReady() {
			return nil
		}
		for _, c := range r.parts() {
			if c.Phase == state.Failed {
				return fmt.Errorf("%s: %s\nlogs: %s", c.Name, c.Error, p.dir.Cluster(c.Name))
			}
		}
		if time.Since(begin) > limit {
			return fmt.Errorf("not ready after %s:\n%slogs: %s", limit, r, p.dir)
		}
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "lab up: %2.0f s  %s\n", time.Since(begin).Seconds(), r.pending())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("interrupted; the lab is ended")
		case <-k.ended:
			err := fmt.Errorf("the lab's first process has ended: %s; last lines of %s:\n%s", k.cmd.ProcessState, p.dir.KeeperLog(), state.Tail(p.dir.KeeperLog(), 20))
			return refused(err, os.Getuid(), sysctls)
		}
	}
}
