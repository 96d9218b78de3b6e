package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemoveTakesTheWholeTreeAndIsHappyWithoutOne(t *testing.T) {
	root := filepath.Join(t.TempDir(), "group")
	if err := os.MkdirAll(filepath.Join(root, "pod1", "container"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(root); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(root); !os.IsNotExist(err) {
			t.Errorf("after Remove: %v", err)
		}
	}
	if err := Remove(""); err != nil {
		t.Error(err)
	}
}

func TestTwoLabsNeverShareAGroup(t *testing.T) {
	one, two := Path("/a/cluster1"), Path("/b/cluster1")
	if one == "" {
		t.Skip("this machine has no cgroup2 tree")
	}
	if one == two || one != Path("/a/cluster1") {
		t.Errorf("%s and %s", one, two)
	}
}
