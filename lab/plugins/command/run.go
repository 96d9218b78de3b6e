package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spire-federation/plugins/standin"
)

// loggings says which streams each value of `logging` shows while the command runs.
var loggings = map[string]*struct{ stdout, stderr bool }{
	"stdout":          {stdout: true},
	"stderr":          {stderr: true},
	"stdoutAndStderr": {stdout: true, stderr: true},
	"none":            {},
}

// run runs command as the properties say and returns what it printed, less one final newline each.
func run(ctx context.Context, log standin.Logger, command string, properties property.Map, previous output) (output, error) {
	args := append(interpreter(properties), command)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, _ = text(properties, "dir")
	cmd.Env = environment(properties, previous)
	if stdin, ok := text(properties, "stdin"); ok {
		cmd.Stdin = strings.NewReader(stdin)
	}
	// In a group of its own, so that cancelling also ends what the shell has started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	shown := loggings["stdoutAndStderr"]
	if logging, ok := text(properties, "logging"); ok {
		shown = loggings[logging]
	}
	var stdout, stderr bytes.Buffer
	both := &locked{w: &bytes.Buffer{}}
	outLines, errLines := &lines{show: log, on: shown.stdout}, &lines{show: log, on: shown.stderr}
	cmd.Stdout = io.MultiWriter(&stdout, both, outLines)
	cmd.Stderr = io.MultiWriter(&stderr, both, errLines)

	err := cmd.Run()
	outLines.flush()
	errLines.flush()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return output{}, fmt.Errorf("%w: running %q:\n%s", err, command, both.w.String())
	}
	return output{strings.TrimSuffix(stdout.String(), "\n"), strings.TrimSuffix(stderr.String(), "\n")}, nil
}

func interpreter(properties property.Map) []string {
	set := properties.Get("interpreter")
	if !set.IsArray() || set.AsArray().Len() == 0 {
		return []string{"/bin/sh", "-c"}
	}
	var args []string
	for _, arg := range set.AsArray().AsSlice() {
		args = append(args, arg.AsString())
	}
	return args
}

// environment is this process's own, then what the properties add, then what the last command printed.
func environment(properties property.Map, previous output) []string {
	env := os.Environ()
	if set := properties.Get("environment"); set.IsMap() {
		for key, value := range set.AsMap().AllStable {
			env = append(env, key+"="+value.AsString())
		}
	}
	if add := properties.Get("addPreviousOutputInEnv"); add.IsBool() && !add.AsBool() {
		return env
	}
	if previous.stdout != "" {
		env = append(env, "PULUMI_COMMAND_STDOUT="+previous.stdout)
	}
	if previous.stderr != "" {
		env = append(env, "PULUMI_COMMAND_STDERR="+previous.stderr)
	}
	return env
}

// locked lets both streams of a command be gathered in one buffer.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// lines shows what is written to it line by line.
type lines struct {
	show    standin.Logger
	on      bool
	partial []byte
}

func (l *lines) Write(b []byte) (int, error) {
	if !l.on {
		return len(b), nil
	}
	l.partial = append(l.partial, b...)
	for {
		line, rest, whole := bytes.Cut(l.partial, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		l.show(string(line))
		l.partial = rest
	}
}

// flush shows a last line that has no newline.
func (l *lines) flush() {
	if len(l.partial) > 0 {
		l.show(string(l.partial))
	}
}
