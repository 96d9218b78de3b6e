// Package cgroup gives every container a cgroup whose path names its pod and itself.
//
// SPIRE's agent finds a workload's pod and container in that path, …/pod<uid>/<container id>; nothing is limited.
// Cgroups outlive processes: those of a node that was killed go at its next start, or by Remove.
package cgroup

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Tree is a node's directory in the cgroup tree; empty where cgroups cannot be written.
type Tree string

// New makes the tree of the node that keeps its state in dir, without what an earlier run left in it.
func New(dir string) Tree {
	Remove(dir)
	if root := path(dir); root != "" && os.Mkdir(root, 0o755) == nil {
		return Tree(root)
	}
	return ""
}

// Remove kills what still runs in the tree of the node that keeps its state in dir, and removes the tree.
func Remove(dir string) {
	if root := path(dir); root != "" {
		remove(root)
	}
}

// path is below the mount of cgroup version 2, which systems of the older kind have beside version 1.
func path(dir string) string {
	for _, mount := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var fs unix.Statfs_t
		if unix.Statfs(mount, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return filepath.Join(mount, fmt.Sprintf("spire-lab-%x", sha256.Sum256([]byte(filepath.Clean(dir))))[:22])
		}
	}
	return ""
}

// Container makes a container's cgroup; "" if there are none.
func (t Tree) Container(podUID, id string) (string, error) {
	if t == "" {
		return "", nil
	}
	dir := filepath.Join(string(t), "pod"+podUID, id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cgroup: %w", err)
	}
	return dir, nil
}

// Remove removes a pod's cgroups, or one container's, and kills what still runs in them.
func (t Tree) Remove(podUID, id string) {
	if t != "" {
		remove(filepath.Join(string(t), "pod"+podUID, id))
	}
}

func remove(dir string) {
	if os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0) != nil {
		return // there is no such cgroup
	}
	children, _ := os.ReadDir(dir)
	for _, child := range children {
		if child.IsDir() {
			remove(filepath.Join(dir, child.Name()))
		}
	}
	for range 50 { // what was killed leaves its cgroup a moment later
		if unix.Rmdir(dir) != unix.EBUSY {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
