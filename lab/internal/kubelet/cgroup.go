package kubelet

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// cgroups is the node's directory in the cgroup tree; empty where cgroups cannot be written.
//
// SPIRE's agent reads pod and container from the cgroup path of a workload, …/pod<uid>/<container id>; nothing is limited.
type cgroups string

// newCgroups makes the directory of the node that keeps its state in dir.
func newCgroups(dir string) cgroups {
	for _, mount := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var fs unix.Statfs_t
		if unix.Statfs(mount, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		root := filepath.Join(mount, fmt.Sprintf("spire-lab-%x", sha256.Sum256([]byte(dir)))[:22])
		remove(root) // a node that was killed leaves its tree behind
		if os.Mkdir(root, 0o755) == nil {
			return cgroups(root)
		}
	}
	return ""
}

// make returns the cgroup of a container, or "" if there are none.
func (c cgroups) make(podUID, containerID string) (string, error) {
	if c == "" {
		return "", nil
	}
	dir := filepath.Join(string(c), "pod"+podUID, containerID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cgroup: %w", err)
	}
	return dir, nil
}

func (c cgroups) removePod(podUID string) {
	if c != "" {
		remove(filepath.Join(string(c), "pod"+podUID))
	}
}

// remove kills whatever still runs below a cgroup and deletes it. What cannot go now goes at the next start.
func remove(dir string) {
	if _, err := os.Stat(dir); err != nil {
		return
	}
	_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			remove(filepath.Join(dir, e.Name()))
		}
	}
	for range 50 { // killed processes leave their cgroup a moment later
		if err := unix.Rmdir(dir); err != unix.EBUSY {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
