// Package network is the lab's network: what an OpenShift cluster gets from its site and from its
// network operator. One network namespace per cluster, joined by a bridge, with no route out.
package network

import (
	"fmt"
	"net/netip"
)

// MaxClusters is how many address blocks the plan has room for, with numbers people can read.
const MaxClusters = 10

// Keeper is the bridge's own address: the lab's commands have it, and the lab's DNS answers on it.
var Keeper = netip.MustParsePrefix("198.18.0.254/24")

// ACME is where the ACME server answers under the name of Let's Encrypt's, beside the keeper.
var ACME = netip.MustParsePrefix("198.18.0.253/24")

// ACMEHost is the name of Let's Encrypt's ACME server.
const ACMEHost = "acme-v02.api.letsencrypt.org"

// NodeName is the name of a cluster's only node.
const NodeName = "node-0"

// Plan is every name and address of one cluster. All of it follows from the cluster's number.
type Plan struct {
	Index  int
	Name   string
	Domain string // of the apps

	Uplink   netip.Prefix // on the bridge that joins the clusters
	Block    netip.Prefix // everything of this cluster, as the others route it
	Pods     netip.Prefix
	Services netip.Prefix

	NodeIP     netip.Addr
	APIService netip.Addr // ClusterIP of Service default/kubernetes
	DNS        netip.Addr // ClusterIP of the cluster's DNS
}

// For returns the plan of cluster i, from 1 to MaxClusters.
func For(i int) Plan {
	at := func(third, fourth int) netip.Addr {
		return netip.AddrFrom4([4]byte{198, 18, byte(third), byte(fourth)})
	}
	name := fmt.Sprintf("cluster%d", i)
	pods, services := 16*i, 16*i+8
	return Plan{
		Index:      i,
		Name:       name,
		Domain:     "apps." + name + ".example.com",
		Uplink:     netip.PrefixFrom(at(0, i), Keeper.Bits()),
		Block:      netip.PrefixFrom(at(pods, 0), 20),
		Pods:       netip.PrefixFrom(at(pods, 0), 21),
		Services:   netip.PrefixFrom(at(services, 0), 21),
		NodeIP:     at(pods, 1),
		APIService: at(services, 1),
		DNS:        at(services, 10),
	}
}

// Server is the API server's address.
func (p Plan) Server() string {
	return fmt.Sprintf("https://%s:6443", p.NodeIP)
}

// All returns the plans of clusters 1 to n.
func All(n int) []Plan {
	plans := make([]Plan, n)
	for i := range plans {
		plans[i] = For(i + 1)
	}
	return plans
}
