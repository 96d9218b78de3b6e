package keeper

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// children starts processes and, as PID 1 must, reaps every orphan. It does without os/exec, whose Wait would compete for them.
type children struct {
	mu    sync.Mutex
	ended map[int]func(syscall.WaitStatus)
}

func newChildren() *children {
	c := &children{ended: map[int]func(syscall.WaitStatus){}}
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	go func() {
		for range died {
			c.reap()
		}
	}()
	return c
}

// start runs a program; ended is called once, when it has ended.
func (c *children) start(argv []string, attr *syscall.ProcAttr, ended func(syscall.WaitStatus)) error {
	c.mu.Lock() // held until the pid is known: the child may be gone by then
	defer c.mu.Unlock()
	pid, err := syscall.ForkExec(argv[0], argv, attr)
	if err != nil {
		return fmt.Errorf("start %s: %w", argv[0], err)
	}
	c.ended[pid] = ended
	return nil
}

// reap collects every process that has ended. One signal can stand for several of them.
func (c *children) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended := c.ended[pid]; ended != nil {
			delete(c.ended, pid)
			go ended(status)
		}
	}
}

// killAll ends every process of the namespace but this one, and returns when they are gone.
func killAll() {
	_ = syscall.Kill(-1, syscall.SIGKILL) // ESRCH: there is none
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
			return
		}
	}
}

// describeExit puts a process's end into words.
func describeExit(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "by " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("with exit code %d", status.ExitStatus())
}
