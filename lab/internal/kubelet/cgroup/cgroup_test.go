package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNextStartEndsWhatAKilledNodeLeft(t *testing.T) {
	state := t.TempDir()
	tree := New(state)
	if tree == "" {
		t.Skip("cgroups cannot be written here")
	}
	t.Cleanup(func() { Remove(state) })
	dir, err := tree.Container("1234", "abcd")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := filepath.Rel(string(tree), dir); got != "pod1234/abcd" {
		t.Errorf("a container's cgroup is %s; SPIRE's agent reads pod<uid>/<id>", got)
	}
	fd, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	left := exec.Command("sleep", "1d")
	left.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(fd.Fd()), Pdeathsig: syscall.SIGKILL}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = left.Wait() }() // its end is seen by the directory that can be removed

	if again := New(state); again != tree {
		t.Errorf("the next start has %q, want %q", again, tree)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the container's cgroup is still there: %v", err)
	}
	Remove(state)
	if _, err := os.Stat(string(tree)); !os.IsNotExist(err) {
		t.Errorf("the node's cgroup is still there: %v", err)
	}
}
