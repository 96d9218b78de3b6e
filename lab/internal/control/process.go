// Package control runs the control plane of one cluster: etcd and the Kubernetes servers, as an installer sets them up.
package control

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"spire-federation/lab/internal/state"
)

// Process is one server of the control plane.
type Process struct {
	Name string // of the binary, the log and the pid file
	Args []string
	Env  []string
}

// Folders are where processes find their programs and leave their logs.
type Folders struct {
	Bin string // programs
	Dir string // of the cluster: <name>.log and <name>.pid
}

// restartDelay keeps a server that cannot start from filling the disk with logs.
const restartDelay = time.Second

// Run runs the process until ctx ends. Its end before ready is closed is an error that says why; after that it is
// started again, as a static pod is.
func (p Process) Run(ctx context.Context, f Folders, ready <-chan struct{}) error {
	for {
		err := p.once(ctx, f)
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ready:
			log.Printf("%v; it is started again", err)
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartDelay):
		}
	}
}

// once runs the process to its end, and always returns an error with its last words.
func (p Process) once(ctx context.Context, f Folders) error {
	// The kernel kills the child when the thread that made it ends: this one stays here until the child is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	logFile := filepath.Join(f.Dir, p.Name+".log")
	output, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	defer output.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(f.Bin, p.Name), p.Args...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	pidFile := filepath.Join(f.Dir, p.Name+".pid")
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600); err != nil {
		log.Print(err)
	}
	err = cmd.Wait()
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	return fmt.Errorf("%s has ended: %s; last lines of %s:\n%s", p.Name, how, logFile, strings.TrimSpace(state.Tail(logFile, 10)))
}
