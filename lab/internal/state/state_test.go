package state

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheLockIsHeldByWhoeverInheritedIt(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "lab"))
	if dir.Running() {
		t.Error("a folder that does not exist is locked")
	}
	lock, err := dir.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Lock(); !errors.Is(err, ErrRunning) {
		t.Errorf("second lock: %v", err)
	}
	descriptor, err := unix.Dup(int(lock.Fd())) // what a child gets
	if err != nil {
		t.Fatal(err)
	}
	heir := os.NewFile(uintptr(descriptor), "heir")
	lock.Close()
	if !dir.Running() {
		t.Error("the lock went with the first holder")
	}
	heir.Close()
	if dir.Running() {
		t.Error("the lock outlives its holders")
	}
}

func TestStatusIsStartingUntilTheClusterSpeaks(t *testing.T) {
	dir := Dir(t.TempDir())
	if got := dir.Status("cluster1"); got.Phase != Starting || len(got.Waiting) == 0 {
		t.Errorf("status = %+v", got)
	}
	if err := os.Mkdir(dir.Cluster("cluster1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Status{
		{Name: "cluster1", Phase: Degraded, Waiting: []string{"Deployment a/b (0 of 1 ready)"}},
		{Name: "cluster1", Phase: Failed, Error: "etcd has ended"},
		{Name: "cluster1", Phase: Ready},
	} {
		if err := dir.SetStatus(want); err != nil {
			t.Fatal(err)
		}
		if got := dir.Status("cluster1"); !reflect.DeepEqual(got, want) {
			t.Errorf("status = %+v, want %+v", got, want)
		}
	}
}

func TestFindPrefersTheMostSpecificSetting(t *testing.T) {
	t.Setenv("HOME", "/home/u")
	for _, c := range []struct{ lab, xdg, want string }{
		{"", "", "/home/u/.local/state/spire-federation-lab"},
		{"", "/x", "/x/spire-federation-lab"},
		{"/l", "/x", "/l"},
	} {
		t.Setenv("LAB_STATE", c.lab)
		t.Setenv("XDG_STATE_HOME", c.xdg)
		if got, err := Find(); err != nil || string(got) != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}

func TestTailGivesTheLastLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[int]string{1: "three", 2: "two\nthree", 9: "one\ntwo\nthree"} {
		if got := Tail(file, lines); got != want {
			t.Errorf("Tail(%d) = %q, want %q", lines, got, want)
		}
	}
}
