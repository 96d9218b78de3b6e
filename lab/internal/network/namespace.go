package network

import (
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// In runs f in a network namespace. Sockets that f opens and processes that f starts stay there.
//
// The thread that changed its namespace is thrown away: one that is given back could run any goroutine.
func In(ns netns.NsHandle, f func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", ns, err)
		}
		return f()
	})
}

// NewNamespace makes a network namespace. It lives as long as the handle or a process in it, so nothing is left behind.
func NewNamespace() (netns.NsHandle, error) {
	ns := netns.None()
	err := onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		var err error
		ns, err = netns.Get()
		return err
	})
	return ns, err
}

func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- f()
	}()
	return <-done
}

// forwardIPv4 makes the namespace of the calling thread a router. /proc/sys/net shows the namespace of whoever opens it.
func forwardIPv4() error {
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}
