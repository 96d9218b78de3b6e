package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"spire-federation/lab/internal/state"
)

// down ends the lab and returns when nothing of it is left.
func down(args []string) int {
	if code, goOn := parse(flag.NewFlagSet("down", flag.ContinueOnError), args); !goOn {
		return code
	}
	dir, err := state.Find()
	if err != nil {
		return fail("lab down", err)
	}
	if _, err := os.Stat(string(dir)); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "lab down: no lab on %s\n", dir)
		return ok
	}
	if err := remove(dir); err != nil {
		return fail("lab down", err)
	}
	return ok
}

func remove(dir state.Dir) error {
	if dir.Running() {
		keeper, _, err := openKeeper(dir)
		if err != nil {
			return fmt.Errorf("%w; if a `lab up` has just begun, try again", err)
		}
		if err := end(keeper); err != nil {
			return err
		}
	}
	lock, err := dir.Lock()
	for tries := 0; errors.Is(err, state.ErrRunning) && tries < 100; tries++ { // a `lab up` that waited for that lab has to notice
		time.Sleep(50 * time.Millisecond)
		lock, err = dir.Lock()
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := sweep(dir); err != nil {
		return err
	}
	return os.RemoveAll(string(dir))
}

// sweep removes what a killed lab has left, in a folder whose lock we hold.
func sweep(dir state.Dir) error {
	if keeper, _, err := openKeeper(dir); err == nil && !waitGone(keeper, 10*time.Second) { // it gave up the lock as it died, but has not died yet
		return errors.New("the killed lab's processes have not ended")
	}
	return dir.Clear()
}
