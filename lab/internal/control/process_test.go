package control

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program makes a server of a few lines of bash.
func program(t *testing.T, script string) (Process, Folders) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "server")
	if err := os.WriteFile(file, []byte("#!/usr/bin/env bash\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return Process{Name: "server"}, Folders{Bin: dir, Dir: dir}
}

func TestACrashBeforeReadyIsReportedWithTheLastWords(t *testing.T) {
	p, f := program(t, "echo cannot bind port 6443 >&2; exit 3")
	err := p.Run(t.Context(), f, make(chan struct{}))
	for _, want := range []string{"server", "exit status 3", "cannot bind port 6443", "server.log"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestAnEndWithExitCode0BeforeReadyIsAnErrorToo(t *testing.T) {
	p, f := program(t, "exit 0")
	if err := p.Run(t.Context(), f, make(chan struct{})); err == nil {
		t.Error("no error")
	}
}

func TestAMissingProgramIsNamed(t *testing.T) {
	err := Process{Name: "absent"}.Run(t.Context(), Folders{Bin: t.TempDir(), Dir: t.TempDir()}, make(chan struct{}))
	if err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("error %v", err)
	}
}

func TestAServerThatWasReadyIsStartedAgain(t *testing.T) {
	p, f := program(t, "echo started >> $0.runs; [ $(wc -l < $0.runs) -lt 2 ] || exec sleep 1000")
	ready := make(chan struct{})
	close(ready)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, f, ready) }()
	eventually(t, func() bool {
		runs, _ := os.ReadFile(filepath.Join(f.Bin, "server.runs"))
		return strings.Count(string(runs), "started") == 2
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunReturnsWhenAServerThatIgnoresTERMIsGone(t *testing.T) {
	p, f := program(t, "trap '' TERM; touch $0.up; while :; do sleep 0.1; done")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, f, make(chan struct{})) }()
	eventually(t, func() bool { _, err := os.Stat(filepath.Join(f.Bin, "server.up")); return err == nil })
	pid := readPID(t, filepath.Join(f.Dir, "server.pid"))
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d: %v", pid, err)
	}
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not come true")
		}
	}
}

func readPID(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
