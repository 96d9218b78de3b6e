package kubelet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/kubelet/cgroup"
)

// process is one run of a container.
type process struct {
	cmd  *exec.Cmd
	spec rootSpec
	done chan struct{} // closed when it has ended and its log is complete
	exit int32         // valid then
}

// start runs a container's program in namespaces of its own and in the network ns; a nil error means the program itself runs.
func start(spec rootSpec, ns netns.NsHandle, hostPID bool, log string) (*process, error) {
	p := &process{spec: spec, done: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, err
	}
	logFile, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	var pipes [3]struct{ read, write *os.File }
	for i := range pipes {
		if pipes[i].read, pipes[i].write, err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	output, told, failure := pipes[0], pipes[1], pipes[2]
	defer told.write.Close()
	defer failure.read.Close()

	p.cmd = &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{shimName}, Stdout: output.write, Stderr: output.write,
		ExtraFiles: []*os.File{told.read, failure.write},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
			Pdeathsig:  unix.SIGKILL,
			Setsid:     true,
		},
	}
	if !hostPID {
		p.cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWPID
	}
	started := make(chan error)
	go p.run(ns, started, output.read, logFile)
	err = <-started
	for _, theirs := range []*os.File{output.write, told.read, failure.write} {
		_ = theirs.Close()
	}
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(told.write).Encode(spec); err != nil {
		return nil, err
	}
	// The pipe ends without a word when the container's program replaces the shim.
	if message, _ := io.ReadAll(failure.read); len(message) > 0 {
		<-p.done
		return nil, fmt.Errorf("%s", message)
	}
	return p, nil
}

// run starts the process and waits for it on one thread that lives as long as it does: the kernel ties
// PDEATHSIG to that thread, and the process inherits the thread's network. The thread is thrown away.
func (p *process) run(ns netns.NsHandle, started chan<- error, output, log *os.File) {
	runtime.LockOSThread()
	var logged sync.WaitGroup
	err := func() error {
		if ns.IsOpen() {
			if err := netns.Set(ns); err != nil {
				return fmt.Errorf("network of the pod: %w", err)
			}
		}
		if seesAll := p.cmd.SysProcAttr.Cloneflags&unix.CLONE_NEWPID == 0; seesAll {
			if err := cgroup.Fake(); err != nil {
				return err
			}
		}
		return p.cmd.Start()
	}()
	if err == nil {
		logged.Go(func() { capture(output, log) })
	}
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // its error is the exit status, read below
		p.exit = exitCode(p.cmd.ProcessState)
		// A child that outlives its container keeps the pipe open; nobody waits for its words.
		_ = output.SetReadDeadline(time.Now().Add(time.Second))
		logged.Wait()
	}
	_ = output.Close()
	_ = log.Close()
	close(p.done)
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// exitCode is a shell's: 128 and the signal for a process that was killed.
func exitCode(s *os.ProcessState) int32 {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(s.ExitCode())
}

// capture copies lines to a log in the format of container runtimes.
func capture(from io.Reader, to io.Writer) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			if line[len(line)-1] != '\n' {
				line += "\n"
			}
			fmt.Fprintf(to, "%s stdout F %s", time.Now().UTC().Format(time.RFC3339Nano), line)
		}
		if err != nil {
			return
		}
	}
}

// stop asks the process to end, and kills it when patience ends; it returns when it is gone.
func (p *process) stop(patience context.Context) {
	_ = p.cmd.Process.Signal(unix.SIGTERM) // fails if it has just ended
	select {
	case <-p.done:
	case <-patience.Done():
		// The whole session: a container that shares the node's processes has no pid namespace to fall with it.
		_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
		<-p.done
	}
}
