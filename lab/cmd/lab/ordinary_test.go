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

	"spire-federation/lab/internal/network"
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

const probeIdentity = `{apiVersion: spire.spiffe.io/v1alpha1, kind: ClusterSPIFFEID, metadata: {name: probe}, spec: {
  className: zero-trust-workload-identity-manager-spire, spiffeIDTemplate: "spiffe://{{.TrustDomain}}/probe", podSelector: {matchLabels: {app: probe}}}}`

// probePod listens, and so is ready, only once SPIRE's agent knows it by pod and container. Pod security asks for the rest.
const probePod = `{apiVersion: v1, kind: Pod, metadata: {name: probe, labels: {app: probe}}, spec: {
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}},
  containers: [{name: probe, image: lab.local/probe, args: [serve, ":8443"], readinessProbe: {tcpSocket: {port: 8443}},
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}},
    volumeMounts: [{name: spiffe, mountPath: /spiffe-workload-api}]}],
  volumes: [{name: spiffe, csi: {driver: csi.spiffe.io, readOnly: true}}]}}`

func TestAnOrdinaryUsersClusterGivesWorkloadsTheirIdentity(t *testing.T) {
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

	file := func(name string) string { return filepath.Join(l.dir.PKI("cluster1"), name) }
	api := func(path string, data ...string) string {
		return l.run(ok, append([]string{"exec", "curl", "-fsS", "--cacert", file(pki.ClusterCA + ".crt"), "--cert", file(pki.Admin + ".crt"), "--key", file(pki.Admin + ".key"),
			"-H", "Content-Type: application/yaml", network.For(1).Server() + path}, data...)...)
	}
	api("/apis/spire.spiffe.io/v1alpha1/clusterspiffeids", "-d", probeIdentity)
	api("/api/v1/namespaces/default/pods", "-d", probePod)
	l.eventually("a workload has its identity", func() bool { return strings.Contains(api("/api/v1/namespaces/default/pods/probe"), `"ready": true`) })

	l.run(ok, "down")
	if _, err := os.Stat(string(l.dir)); !os.IsNotExist(err) || len(l.processes()) > 0 {
		t.Errorf("after down: %v, %v", err, l.processes())
	}
}
