package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/keeper"
	"spire-federation/lab/internal/state"
)

// keeperProcess is the lab's first process as `lab up` holds it.
type keeperProcess struct {
	cmd      *exec.Cmd
	pidfd    int
	lifeline *os.File
	ended    chan struct{} // closed when it, and so everything of the lab, has ended
}

// startKeeper runs this program again as PID 1 of namespaces of its own, in a session of its own.
func startKeeper(r *request, lock *os.File) (*keeperProcess, error) {
	output, err := os.OpenFile(r.dir.KeeperLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	inside, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	cmd := exec.Command("/proc/self/exe", "keeper", "-state", string(r.dir))
	cmd.Args[0] = "lab"
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{lock, inside} // keeper.Lock, keeper.Lifeline
	if r.until != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, r.until) // keeper.Until
		cmd.Args = append(cmd.Args, "-until")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC,
		Setsid:     true,
		PidFD:      new(int),
	}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("make the lab's namespaces (in a container, only if it is privileged): %w", err)
	}
	k := &keeperProcess{cmd: cmd, pidfd: *cmd.SysProcAttr.PidFD, lifeline: lifeline, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its ProcessState
		close(k.ended)
	}()
	return k, r.dir.SetKeeper(cmd.Process.Pid)
}

// release lets the lab live on without this process.
func (k *keeperProcess) release() error {
	_, err := k.lifeline.Write([]byte{1})
	return err
}

// stop ends the lab, and returns when all its processes are gone.
func (k *keeperProcess) stop() error {
	defer k.lifeline.Close()
	return end(k.pidfd)
}

// keep is the keeper's main.
func keep(args []string) int {
	flags := flag.NewFlagSet("keeper", flag.ContinueOnError)
	dir := flags.String("state", "", "")
	hasUntil := flags.Bool("until", false, "")
	if code, goOn := parse(flags, args); !goOn {
		return code
	}
	if os.Getpid() != 1 {
		return usage("lab has no command \"keeper\"")
	}
	if err := keeper.Run(state.Dir(*dir), *hasUntil); err != nil {
		log.Print(err)
		return failed
	}
	return ok
}
