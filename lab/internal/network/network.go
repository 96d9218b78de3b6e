package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	// PodBridge is the bridge in a cluster's namespace that pods are plugged into; it has the node's address.
	PodBridge = "cbr0"

	clusterBridge = "clusters"
	uplink        = "up0"
	toServices    = "svc0"
	servicesSide  = "eth0"
	podSide       = "eth0"
	loopback      = "lo"
	hardwareLocal = 0x02 // first byte of a locally administered hardware address
)

// Cluster is the network of one cluster. Services have a namespace of their own because in the node's the
// ClusterIPs would clash with what listens on every address there: the router on 443, a hostNetwork agent's metrics.
type Cluster struct {
	Plan
	Node     netns.NsHandle
	Services netns.NsHandle
}

// Up builds the networks of n clusters and joins them with the calling process's namespace.
func Up(n int) ([]Cluster, error) {
	here, err := netlink.NewHandle()
	if err != nil {
		return nil, err
	}
	defer here.Close()
	if err := setUp(here, loopback); err != nil {
		return nil, err
	}
	bridge, err := addBridge(here, clusterBridge, Keeper)
	if err != nil {
		return nil, err
	}
	if err := addAddress(here, clusterBridge, ACME); err != nil {
		return nil, err
	}
	clusters := make([]Cluster, 0, n)
	for _, plan := range All(n) {
		c, err := join(here, bridge, plan, n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plan.Name, err)
		}
		clusters = append(clusters, c)
	}
	return clusters, nil
}

// join makes the namespaces of one cluster and links them: bridge <-> node <-> services.
func join(here *netlink.Handle, bridge netlink.Link, plan Plan, n int) (Cluster, error) {
	c := Cluster{Plan: plan}
	var err error
	if c.Node, err = NewNamespace(); err != nil {
		return c, err
	}
	if c.Services, err = NewNamespace(); err != nil {
		return c, err
	}
	outer := fmt.Sprintf("up%d", plan.Index)
	if err := addPair(here, outer, uplink, c.Node); err != nil {
		return c, err
	}
	if err := plug(here, outer, bridge); err != nil {
		return c, err
	}
	if err := c.buildNode(n); err != nil {
		return c, err
	}
	if err := c.buildServices(); err != nil {
		return c, err
	}
	return c, addRoute(here, netlink.Route{Dst: ipNet(plan.Block), Gw: ip(plan.Uplink.Addr())})
}

func (c Cluster) buildNode(n int) error {
	h, err := netlink.NewHandleAt(c.Node)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := setUp(h, loopback); err != nil {
		return err
	}
	if err := addAddress(h, uplink, c.Uplink); err != nil {
		return err
	}
	if _, err := addBridge(h, PodBridge, netip.PrefixFrom(c.NodeIP, c.Pods.Bits())); err != nil {
		return err
	}
	for _, other := range All(n) {
		if other.Index == c.Index {
			continue
		}
		if err := addRoute(h, netlink.Route{Dst: ipNet(other.Block), Gw: ip(other.Uplink.Addr())}); err != nil {
			return err
		}
	}
	if err := addPair(h, toServices, servicesSide, c.Services); err != nil {
		return err
	}
	// No address on this link: the other side answers ARP for every ClusterIP, as all of them are local there.
	if err := addRouteVia(h, toServices, netlink.Route{Dst: ipNet(c.Plan.Services), Src: ip(c.NodeIP), Scope: netlink.SCOPE_LINK}); err != nil {
		return err
	}
	return In(c.Node, forwardIPv4)
}

// ConnectPod gives a pod's namespace an address, by a link to the node's bridge in the namespace of the calling process.
func ConnectPod(link string, pod netns.NsHandle, address netip.Prefix, gateway netip.Addr) error {
	node, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer node.Close()
	bridge, err := node.LinkByName(PodBridge)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", PodBridge, err)
	}
	if err := addPair(node, link, podSide, pod); err != nil {
		return err
	}
	if err := plug(node, link, bridge); err != nil {
		return err
	}
	h, err := netlink.NewHandleAt(pod)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := setUp(h, loopback); err != nil {
		return err
	}
	if err := addAddress(h, podSide, address); err != nil {
		return err
	}
	return addRoute(h, netlink.Route{Gw: ip(gateway)})
}

func (c Cluster) buildServices() error {
	h, err := netlink.NewHandleAt(c.Services)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := setUp(h, loopback); err != nil {
		return err
	}
	if err := setUp(h, servicesSide); err != nil {
		return err
	}
	// Every ClusterIP is local, so that a listener can have any of them.
	local := netlink.Route{Dst: ipNet(c.Plan.Services), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST}
	if err := addRouteVia(h, loopback, local); err != nil {
		return err
	}
	return addRouteVia(h, servicesSide, netlink.Route{Dst: ipNet(netip.MustParsePrefix("0.0.0.0/0")), Gw: ip(c.NodeIP), Flags: int(netlink.FLAG_ONLINK)})
}

// addBridge makes a bridge with a hardware address of its own: else it takes that of a port, and changes it as pods come and go.
func addBridge(h *netlink.Handle, name string, address netip.Prefix) (netlink.Link, error) {
	a := address.Addr().As4()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	attrs.HardwareAddr = net.HardwareAddr{hardwareLocal, 0, a[0], a[1], a[2], a[3]}
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := h.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("make bridge %s: %w", name, err)
	}
	return bridge, addAddress(h, name, address)
}

// addPair makes a virtual cable from the handle's namespace to another.
func addPair(h *netlink.Handle, name, peer string, to netns.NsHandle) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if err := h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer, PeerNamespace: netlink.NsFd(to)}); err != nil {
		return fmt.Errorf("make link %s: %w", name, err)
	}
	return setUp(h, name)
}

func plug(h *netlink.Handle, name string, bridge netlink.Link) error {
	return withLink(h, name, func(link netlink.Link) error { return h.LinkSetMaster(link, bridge) })
}

func setUp(h *netlink.Handle, name string) error {
	return withLink(h, name, h.LinkSetUp)
}

func addAddress(h *netlink.Handle, name string, address netip.Prefix) error {
	network := &net.IPNet{IP: ip(address.Addr()), Mask: net.CIDRMask(address.Bits(), 32)}
	return withLink(h, name, func(link netlink.Link) error {
		return errors.Join(h.AddrAdd(link, &netlink.Addr{IPNet: network}), h.LinkSetUp(link))
	})
}

func addRouteVia(h *netlink.Handle, name string, route netlink.Route) error {
	return withLink(h, name, func(link netlink.Link) error {
		route.LinkIndex = link.Attrs().Index
		return addRoute(h, route)
	})
}

// withLink runs do on the named link and adds the name to its error.
func withLink(h *netlink.Handle, name string, do func(netlink.Link) error) error {
	link, err := h.LinkByName(name)
	if err == nil {
		err = do(link)
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	return nil
}

func addRoute(h *netlink.Handle, route netlink.Route) error {
	if err := h.RouteAdd(&route); err != nil {
		return fmt.Errorf("route to %s: %w", route.Dst, err)
	}
	return nil
}

func ip(a netip.Addr) net.IP { return a.AsSlice() }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: ip(p.Addr()), Mask: net.CIDRMask(p.Bits(), 32)}
}
