package main

import "C" // so that enter.c is compiled in

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// entered is the variable that enter.c reads.
const entered = "LAB_ENTER"

// enter starts this program anew, inside the lab; see enter.c. It returns only when that does not work.
func enter(pidfd, pid int) error {
	if _, err := unix.FcntlInt(uintptr(pidfd), unix.F_SETFD, 0); err != nil { // to be inherited
		return err
	}
	flags := unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC
	shared, err := sameUserNamespace(pid)
	if err != nil {
		return err
	}
	if !shared {
		flags |= unix.CLONE_NEWUSER
	}
	env := append(os.Environ(), fmt.Sprintf("%s=%d %d", entered, pidfd, flags))
	return syscall.Exec("/proc/self/exe", os.Args, env)
}

// isEntered says whether this is the process that enter started.
func isEntered() bool { return os.Getenv(entered) != "" }

// sameUserNamespace says whether the lab was made without a user namespace of its own: joining one's own is refused.
func sameUserNamespace(pid int) (bool, error) {
	var own, other unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &own); err != nil {
		return false, err
	}
	if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/user", pid), &other); err != nil {
		return false, fmt.Errorf("the lab belongs to another user: %w", err)
	}
	return own.Dev == other.Dev && own.Ino == other.Ino, nil
}
