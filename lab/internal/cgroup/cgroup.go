// Package cgroup knows the group of a cluster's pods in the cgroup2 tree, by which SPIRE's agent recognises them. Such
// groups are the only thing that the kernel does not take back when a lab is killed.
package cgroup

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Path is the group of the node whose state is in dir; "" when the machine has no cgroup2 tree.
func Path(dir string) string {
	for _, mount := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var info unix.Statfs_t
		if unix.Statfs(mount, &info) == nil && info.Type == unix.CGROUP2_SUPER_MAGIC {
			return filepath.Join(mount, fmt.Sprintf("spire-lab-%x", sha256.Sum256([]byte(dir)))[:22])
		}
	}
	return ""
}

// Remove removes a group and those in it, whose processes are gone or going: a killed one holds its group for a moment.
func Remove(path string) error {
	if path == "" {
		return nil
	}
	var err error
	for range 100 {
		if err = removeTree(path); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("remove cgroup %s: %w", path, err)
	}
	return nil
}

// removeTree removes directories from the leaves up; the kernel's files in them go along.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}
