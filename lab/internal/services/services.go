// Package services makes ClusterIPs and cluster names work. It stands for kube-proxy or OVN, and for OpenShift's DNS: a
// TCP proxy in user space, and a DNS server, both in the network namespace that has every ClusterIP as its own.
package services

import (
	"context"
	"fmt"
	"net"

	"github.com/vishvananda/netns"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/dns"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/wake"
)

// Run serves the cluster's Services until ctx ends. Listeners are in the given namespace, connections to pods come from the
// caller's, so that they have the node's address. Names that are no Service's and no node's are looked up in names.
func Run(ctx context.Context, client kubernetes.Interface, ns netns.NsHandle, plan network.Plan, names dns.Lookup) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	services, slices, nodes := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices(), factory.Core().V1().Nodes()
	changed := wake.New()
	if err := changed.OnChange(services.Informer()); err != nil {
		return err
	}
	t := &table{services: services.Lister(), slices: slices.Lister(), nodes: nodes.Lister()}
	synced, known := slices.Informer().HasSynced, nodes.Informer().HasSynced // asks for these informers, too
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), services.Informer().HasSynced, synced, known) {
		return nil // ctx has ended
	}
	var packets net.PacketConn
	var streams net.Listener
	err := network.In(ns, func() (err error) {
		packets, streams, err = dns.Listen(net.JoinHostPort(plan.DNS.String(), "53"))
		return err
	})
	if err != nil {
		return fmt.Errorf("cluster DNS: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return dns.Serve(ctx, packets, streams, dns.Lookup(t.lookup).Or(t.node).Or(names)) })
	group.Go(func() error { return (&proxy{ns: ns, table: t}).run(ctx, changed) })
	return group.Wait()
}
