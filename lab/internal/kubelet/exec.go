package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exec runs a command in the container and returns its exit code. A missing program is no error of the node's: CRI-O starts
// the OCI runtime (runtime_oci.go, ExecContainer), and the client gets what crun writes to stderr and its exit code.
func (p *process) exec(ctx context.Context, argv []string, in io.Reader, out, errOut io.Writer) (int, error) {
	// No Pdeathsig: Go's check of the parent fails across pid namespaces and would kill the child at
	// once. The container's own pid namespace ends the command with the container.
	cmd := &exec.Cmd{Args: argv, Env: p.spec.Env, Dir: p.spec.Dir, Stdout: out, Stderr: errOut, WaitDelay: 2 * time.Second, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if in != nil {
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return 0, err
		}
		go func() { // not cmd.Stdin: Wait would then wait for the client to close its end
			_, _ = io.Copy(stdin, in)
			_ = stdin.Close()
		}()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread has left this process's namespaces
		started <- p.spawn(cmd)
	}()
	switch err := <-started; {
	case errors.As(err, new(notFound)) && errOut != nil:
		_, err = fmt.Fprintln(errOut, err)
		return 1, err
	case errors.As(err, new(notFound)):
		return 1, nil
	case err != nil:
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	if cmd.ProcessState == nil {
		return 0, err
	}
	return int(exitCode(cmd.ProcessState)), ctx.Err()
}

// spawn moves the current thread into the container and starts the command there.
func (p *process) spawn(cmd *exec.Cmd) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	var spaces []*os.File
	for _, name := range []string{"net", "uts", "ipc", "pid", "mnt"} { // mnt last: the others are found by their path
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", p.cmd.Process.Pid, name))
		if err != nil {
			return fmt.Errorf("the container has ended: %w", err)
		}
		defer f.Close()
		spaces = append(spaces, f)
	}
	for _, f := range spaces {
		if err := unix.Setns(int(f.Fd()), 0); err != nil {
			return fmt.Errorf("enter the container: %s: %w", f.Name(), err)
		}
	}
	path, err := lookPath(cmd.Args[0], p.spec.Path)
	if err != nil {
		return err
	}
	cmd.Path = path
	return cmd.Start()
}
