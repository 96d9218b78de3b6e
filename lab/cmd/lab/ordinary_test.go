package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/fabric"
	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/state"
)

// ordinaryUser makes the calling thread's view of the file system one in which a user without any rights sees the
// toolchain, wherever it lies, and returns a lab of that user's with real programs.
func ordinaryUser(t *testing.T, toolchain string) lab {
	const nobody, seen = 65534, "/mnt" // not in a temporary folder: what is mounted there would be removed with it
	home := t.TempDir()
	if err := errors.Join(
		os.Chmod(filepath.Dir(home), 0o755), // t.TempDir is below a folder of ours alone
		os.Chown(home, nobody, nobody),
		unix.Unshare(unix.CLONE_NEWNS),
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(toolchain, seen, "", unix.MS_BIND, ""),
	); err != nil {
		t.Fatal(err)
	}
	dir := state.Dir(filepath.Join(home, "state"))
	return lab{
		t: t, dir: dir, user: &syscall.Credential{Uid: nobody, Gid: nobody},
		env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, asLab + "=1", "LAB_STATE=" + string(dir), "LAB_TOOLCHAIN=" + seen},
	}
}

func TestAnOrdinaryUserHasAWholeCluster(t *testing.T) {
	toolchain := os.Getenv("LAB_TOOLCHAIN")
	if os.Getuid() != 0 || toolchain == "" {
		t.Skip("this takes root, to become somebody else, and a toolchain in LAB_TOOLCHAIN")
	}
	fine := errors.New("no ordinary user's lab on this machine")
	if err := refused(fine, 1, sysctls); err != fine {
		t.Skip(err)
	}
	runtime.LockOSThread() // never unlocked: nothing else may run with its view of the file system
	l := ordinaryUser(t, toolchain)
	defer l.run(ok, "down")
	l.run(ok, "up", "--clusters", "1")
	l.run(ok, "status")

	certs := l.dir.PKI("cluster1")
	file := func(name string) string { return filepath.Join(certs, name) }
	node := l.run(ok, "exec", "curl", "-fsS", "--cacert", file(pki.ClusterCA+".crt"), "--cert", file(pki.Admin+".crt"), "--key", file(pki.Admin+".key"),
		fabric.For(1).Server()+"/api/v1/nodes/node-0")
	if !strings.Contains(node, `"kubeletVersion"`) {
		t.Errorf("the API server has of the node:\n%s", node)
	}

	l.run(ok, "down")
	if _, err := os.Stat(string(l.dir)); !os.IsNotExist(err) || len(l.processes()) > 0 {
		t.Errorf("after down: %v, %v", err, l.processes())
	}
}
