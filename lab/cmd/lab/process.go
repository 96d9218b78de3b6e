package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/state"
)

// openKeeper returns a descriptor of the lab's first process, and its process id. The number alone could by now be another process,
// and is one inside the lab, where numbers differ: the keeper is recognised as the first of a PID namespace below ours.
func openKeeper(dir state.Dir) (pidfd, pid int, err error) {
	if pid, err = dir.KeeperPID(); err != nil {
		return -1, 0, err
	}
	if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		return -1, 0, fmt.Errorf("the lab's first process (%d): %w", pid, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err == nil && !firstBelow(string(status)) {
		err = fmt.Errorf("process %d is not the lab's; inside the lab, this does not work", pid)
	}
	if err != nil {
		unix.Close(pidfd)
		return -1, 0, err
	}
	return pidfd, pid, nil
}

// firstBelow says whether a process with this /proc/<pid>/status is PID 1 of a namespace nested in ours.
func firstBelow(status string) bool {
	for line := range strings.Lines(status) {
		if pids, found := strings.CutPrefix(line, "NSpid:"); found {
			numbers := strings.Fields(pids)
			return len(numbers) > 1 && numbers[len(numbers)-1] == "1"
		}
	}
	return false
}

// waitGone waits until a process has ended. For the first of a PID namespace that is when all others in it have ended, too.
func waitGone(pidfd int, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for {
		left := max(0, time.Until(deadline))
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

// end stops the lab's first process, and so everything of the lab.
func end(pidfd int) error {
	for _, step := range []struct {
		signal unix.Signal
		wait   time.Duration
	}{{unix.SIGTERM, 10 * time.Second}, {unix.SIGKILL, 10 * time.Second}} {
		if err := unix.PidfdSendSignal(pidfd, step.signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		if waitGone(pidfd, step.wait) {
			return nil
		}
	}
	return errors.New("its processes do not end, not even by SIGKILL")
}
