// Package router stands for OpenShift's router: it serves re-encrypt and passthrough Routes on port 443, Routes without TLS on port
// 80, and writes their status.
// Certificates of Routes are read with the pod's own ServiceAccount, openshift-ingress/router, one named secret at a time.
package router

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/standin/reconcile"
)

const resync = 30 * time.Minute // as OpenShift's

// Run serves until ctx ends. It listens before it knows a Route, so that early clients are answered.
func Run(ctx context.Context, args []string) error {
	options := flag.NewFlagSet("router", flag.ContinueOnError)
	name := options.String("name", "default", "of the IngressController; each cluster has one called default")
	selector := options.String("selector", "", "labels of the Routes to serve, as its routeSelector has them; all Routes when empty")
	address := options.String("address", "", "where to listen, on ports 80 and 443")
	domain := options.String("domain", "", "the cluster's ingress domain")
	serviceCA := options.String("service-ca", "", "PEM file with the CA of the pods' serving certificates")
	if err := options.Parse(args); err != nil {
		return err
	}
	secure, err := net.Listen("tcp", net.JoinHostPort(*address, "443"))
	if err != nil {
		return err
	}
	plain, err := net.Listen("tcp", net.JoinHostPort(*address, "80"))
	if err != nil {
		return err
	}
	fallback, err := defaultCertificate(*domain)
	if err != nil {
		return fmt.Errorf("default certificate: %w", err)
	}
	client, routes, err := reconcile.Clients()
	if err != nil {
		return err
	}

	factory := informers.NewSharedInformerFactory(client, 0)
	slices := factory.Discovery().V1().EndpointSlices().Lister()
	factory.Start(ctx.Done())
	informer := dynamicinformer.NewFilteredDynamicInformer(routes, routesResource, "", resync, cache.Indexers{}, func(options *metav1.ListOptions) {
		options.LabelSelector = *selector
	}).Informer()
	c := &controller{
		client: client, routes: routes.Resource(routesResource), store: informer.GetStore(), name: *name, domain: *domain,
		changed: make(chan string), table: newTable(reloadInterval), watches: map[string]*secretWatch{}, hosts: map[string]string{},
		again: map[string]*retry{},
	}
	enqueue := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			c.changed <- key
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) }, DeleteFunc: enqueue,
	}); err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	go c.run(ctx)
	log.Printf("listening on %s and %s for %s", secure.Addr(), plain.Addr(), *domain)
	s := &server{c.table, &upstream{slices, *serviceCA}, fallback}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.serve(ctx, secure) })
	group.Go(func() error { return s.servePlain(ctx, plain) })
	return group.Wait()
}

// defaultCertificate is what clients see where no Route has one of its own. As on OpenShift, nobody knows the CA that signed it, and
// that CA's certificate comes with it.
func defaultCertificate(domain string) (tls.Certificate, error) {
	ca, err := pki.NewCA("ingress-operator")
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := ca.Issue(pki.Leaf{CommonName: "*." + domain, DNS: []string{"*." + domain}})
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(append(pair.Cert, ca.Cert...), pair.Key)
}
