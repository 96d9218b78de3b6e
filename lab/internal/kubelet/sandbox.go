package kubelet

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"spire-federation/lab/internal/network"
)

// vethPrefix marks the node's ends of the pods' links.
const vethPrefix = "pod"

// sandbox is the network of one pod.
type sandbox struct {
	ip   netip.Addr
	link string
	ns   netns.NsHandle // closed for pods in the node's network
	free func()
}

// newSandbox gives a pod a network namespace with an address and a link to the node's bridge.
func (n *node) newSandbox(uid string, hostNetwork bool) (*sandbox, error) {
	if hostNetwork {
		return &sandbox{ip: n.nodeIP, ns: netns.None(), free: func() {}}, nil
	}
	ip, err := n.addresses.take()
	if err != nil {
		return nil, err
	}
	s := &sandbox{ip: ip, link: linkName(uid), free: func() { n.addresses.give(ip) }}
	if s.ns, err = network.NewNamespace(); err == nil {
		err = network.ConnectPod(s.link, s.ns, netip.PrefixFrom(ip, n.addresses.prefix.Bits()), n.nodeIP)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("network of the pod: %w", err)
	}
	return s, nil
}

func linkName(uid string) string {
	return fmt.Sprintf("%s%x", vethPrefix, sha256.Sum256([]byte(uid)))[:15]
}

// close removes the pod's network; the namespace goes with the last process in it.
func (s *sandbox) close() {
	if s.link != "" {
		if link, err := netlink.LinkByName(s.link); err == nil {
			_ = netlink.LinkDel(link) // gone already: its other end went first
		}
	}
	if s.ns.IsOpen() {
		_ = s.ns.Close()
	}
	s.free()
}

// removeLinks deletes what a node that was killed may have left; the kernel is slow to do so itself.
func removeLinks() error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("links of earlier pods: %w", err)
	}
	for _, link := range links {
		if _, veth := link.(*netlink.Veth); veth && strings.HasPrefix(link.Attrs().Name, vethPrefix) {
			_ = netlink.LinkDel(link)
		}
	}
	return nil
}

// addresses hands out the pods' addresses in turn, so that one just freed is not used again soon.
type addresses struct {
	mu     sync.Mutex
	prefix netip.Prefix
	last   netip.Addr // the node's own at first: it is the network's first
	used   map[netip.Addr]bool
}

func (a *addresses) take() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range 1 << (32 - a.prefix.Bits()) {
		if a.last = a.last.Next(); !a.prefix.Contains(a.last.Next()) { // the network's broadcast address
			a.last = a.prefix.Masked().Addr().Next().Next()
		}
		if !a.used[a.last] {
			a.used[a.last] = true
			return a.last, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all pod addresses of %s are in use", a.prefix)
}

func (a *addresses) give(ip netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, ip)
}
