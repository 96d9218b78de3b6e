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

	"spire-federation/lab/internal/images"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/internal/state"
)

// request is what `lab up` was asked for.
type request struct {
	state.Lab
	dir   state.Dir
	until *os.File // process descriptor of --until-exit-of, if there is one
}

// up starts the lab and returns when its clusters are ready, or when nothing of it is left.
func up(args []string) int {
	r := request{Lab: state.Lab{TrustDomains: network.TrustDomains{}, Releases: release.PerCluster{}}}
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.IntVar(&r.Clusters, "clusters", 2, "")
	flags.StringVar(&r.Operator, "ztwim-operator", "", "")
	flags.StringVar(&r.Images, "images", "", "")
	flags.Func("trust-domain", "", r.TrustDomains.Set)
	flags.Func("ztwim", "", r.Releases.Set)
	until := flags.Int("until-exit-of", 0, "")
	if code, goOn := parse(flags, args); !goOn {
		return code
	}
	if r.Clusters < 1 || r.Clusters > network.MaxClusters {
		return usage(fmt.Sprintf("lab up: --clusters %d: 1 to %d are possible", r.Clusters, network.MaxClusters))
	}
	for flag, of := range map[string]map[string]string{"trust-domain": r.TrustDomains, "ztwim": r.Releases} {
		for cluster := range of {
			if cluster != "" && !slices.ContainsFunc(network.All(r.Clusters), func(p network.Plan) bool { return p.Name == cluster }) {
				return usage(fmt.Sprintf("lab up: --%s %s=…: the lab has no such cluster", flag, cluster))
			}
		}
	}
	var err error
	if r.dir, r.Toolchain, err = places(); err != nil {
		return fail("lab up", err)
	}
	if err := r.check(); err != nil {
		return fail("lab up", err)
	}
	if *until != 0 {
		pidfd, err := unix.PidfdOpen(*until, 0)
		if err != nil {
			return fail("lab up", fmt.Errorf("--until-exit-of %d: %w", *until, err))
		}
		r.until = os.NewFile(uintptr(pidfd), "until")
		defer r.until.Close()
	}
	lock, err := r.dir.Lock()
	if errors.Is(err, state.ErrRunning) {
		return r.alreadyUp()
	}
	if err != nil {
		return fail("lab up", err)
	}
	defer lock.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := r.run(ctx, lock); err != nil {
		return fail("lab up", err)
	}
	fmt.Fprintf(os.Stderr, "lab up: %s ready; `lab shell` to look around, `lab down` to end\n", reportOf(r.dir).contexts())
	return ok
}

// check names what is missing before anything is touched.
func (r *request) check() error {
	if r.Operator != "" {
		file, err := filepath.Abs(r.Operator)
		if err != nil {
			return err
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("--ztwim-operator %s: not a program that can be run", r.Operator)
		}
		r.Operator = file
	}
	if r.Images != "" {
		file, err := filepath.Abs(r.Images)
		if err != nil {
			return err
		}
		if _, err := images.Load(nil, file); err != nil {
			return fmt.Errorf("--images: %w", err)
		}
		r.Images = file
	}
	for _, program := range []string{"lab-cluster", "pebble", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		if _, err := os.Stat(filepath.Join(r.Toolchain, "bin", program)); err != nil {
			return fmt.Errorf("the toolchain in %s has no %s; build it with lab/toolchain/build and set LAB_TOOLCHAIN to the folder that it prints", r.Toolchain, program)
		}
	}
	return nil
}

// alreadyUp reports a lab that already uses this state folder.
func (r *request) alreadyUp() int {
	running := reportOf(r.dir)
	switch {
	case len(running.Clusters) != r.Clusters:
		return fail("lab up", fmt.Errorf("a lab with %d clusters runs on %s already; `lab down` first, or set LAB_STATE to another folder", len(running.Clusters), r.dir))
	case !r.hasReleases(running):
		return fail("lab up", fmt.Errorf("a lab with other releases of ZTWIM runs on %s already; `lab down` first, or set LAB_STATE to another folder", r.dir))
	case !running.allReady():
		return fail("lab up", fmt.Errorf("a lab is on %s already, but not ready; `lab status` says what it waits for, `lab down` ends it", r.dir))
	}
	fmt.Fprintf(os.Stderr, "lab up: runs already on %s\n", r.dir)
	return ok
}

// hasReleases says whether the clusters of a running lab started with the releases that are asked for.
func (r *request) hasReleases(running report) bool {
	return !slices.ContainsFunc(running.Clusters, func(c partReport) bool {
		return c.ZTWIM != "" && c.ZTWIM != r.Releases.Of(c.Name).Version
	})
}

// run starts the keeper and waits for the clusters. Unless all are ready at the end, the keeper and all it started are gone.
func (r *request) run(ctx context.Context, lock *os.File) error {
	if err := sweep(r.dir); err != nil {
		return err
	}
	if err := r.dir.SetLab(r.Lab); err != nil {
		return err
	}
	if err := prepare(r.dir, r.Clusters); err != nil {
		return err
	}
	k, err := startKeeper(r, lock)
	if err != nil {
		return refused(err, os.Getuid(), sysctls)
	}
	err = r.waitReady(ctx, k)
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
		err = errors.Join(err, r.dir.Clear(), os.RemoveAll(string(r.dir)))
	}
	return err
}

// waitReady polls what the clusters say of themselves, and tells what it waits for every other second.
func (r *request) waitReady(ctx context.Context, k *keeperProcess) error {
	limit := 3*time.Minute + time.Duration(r.Clusters)*30*time.Second
	begin, told, tick := time.Now(), time.Now(), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		lab := reportOf(r.dir)
		if lab.allReady() {
			return nil
		}
		for _, c := range lab.parts() {
			if c.Phase == state.Failed {
				return fmt.Errorf("%s: %s\nlogs: %s", c.Name, c.Error, r.dir.Cluster(c.Name))
			}
		}
		if time.Since(begin) > limit {
			return fmt.Errorf("not ready after %s:\n%slogs: %s", limit, lab, r.dir)
		}
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "lab up: %2.0f s  %s\n", time.Since(begin).Seconds(), lab.pending())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("interrupted; the lab is ended")
		case <-k.ended:
			err := fmt.Errorf("the lab's first process has ended: %s; last lines of %s:\n%s", k.cmd.ProcessState, r.dir.KeeperLog(), state.Tail(r.dir.KeeperLog(), 20))
			return refused(err, os.Getuid(), sysctls)
		}
	}
}
