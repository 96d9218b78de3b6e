package network

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inNamespace runs the calling test again in a network namespace of its own, and says whether this is that run.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const marker = "NETWORK_TEST_IN_NAMESPACE"
	if os.Getenv(marker) != "" {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return false
}

func TestClustersReachEachOtherAndTheirServices(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	clusters, err := Up(MaxClusters)
	if err != nil {
		t.Fatal(err)
	}
	here, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	one, two := clusters[0], clusters[MaxClusters-1]
	serviceIP := one.DNS.String()
	for _, c := range []struct {
		what       string
		from, to   netns.NsHandle
		address    string
		wantSource string
	}{
		{"a command to a node", here, two.Node, two.NodeIP.String(), Keeper.Addr().String()},
		{"a node to the ACME server", one.Node, here, ACME.Addr().String(), one.Uplink.Addr().String()},
		{"a node to another cluster's node", one.Node, two.Node, two.NodeIP.String(), one.Uplink.Addr().String()},
		{"a node to a ClusterIP of its own", one.Node, one.Services, serviceIP, one.NodeIP.String()},
		{"a node to a ClusterIP of another cluster", two.Node, one.Services, serviceIP, two.Uplink.Addr().String()},
		{"a command to a ClusterIP", here, one.Services, serviceIP, Keeper.Addr().String()},
		{"the proxy to itself", one.Services, one.Services, serviceIP, serviceIP},
	} {
		if source, err := connect(c.from, c.to, c.address); err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if source != c.wantSource {
			t.Errorf("%s comes from %s, want %s", c.what, source, c.wantSource)
		}
	}
}

// connect listens on an address in one namespace, dials it from another, and returns whom the listener saw.
func connect(from, to netns.NsHandle, address string) (string, error) {
	var listener net.Listener
	err := In(to, func() (err error) {
		listener, err = net.Listen("tcp4", net.JoinHostPort(address, "4000"))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	err = In(from, func() error {
		conn, err := net.DialTimeout("tcp4", listener.Addr().String(), 10*time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	})
	if err != nil {
		return "", err
	}
	conn, err := listener.Accept()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	source, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	return source, err
}

func TestInLeavesTheCallersNamespaceAlone(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	before, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewNamespace()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := In(other, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		now, err := netns.Get()
		if err != nil {
			t.Fatal(err)
		}
		if !now.Equal(before) {
			t.Fatal("the caller is in another namespace")
		}
		now.Close()
	}
}
