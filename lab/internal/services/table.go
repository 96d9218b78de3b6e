package services

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const zone = ".svc.cluster.local"

// table answers from what the API server last said of Services and their endpoints.
type table struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	nodes    corelisters.NodeLister
}

// front is one port of a Service.
type front struct {
	namespace, service, port string
}

// fronts maps every ClusterIP:port for TCP to the Service's port behind it.
func (t *table) fronts() (map[string]front, error) {
	services, err := t.services.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	all := map[string]front{}
	for _, s := range services {
		if !hasClusterIP(s) {
			continue
		}
		for _, p := range s.Spec.Ports {
			if p.Protocol == corev1.ProtocolTCP {
				all[net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(int(p.Port)))] = front{s.Namespace, s.Name, p.Name}
			}
		}
	}
	return all, nil
}

func hasClusterIP(s *corev1.Service) bool {
	return s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone
}

// backends lists the addresses that are ready to serve a Service's port.
func (t *table) backends(f front) []string {
	var all []string
	for _, slice := range t.slicesOf(f.namespace, f.service) {
		for _, p := range slice.Ports {
			if p.Port == nil || p.Name == nil || *p.Name != f.port {
				continue
			}
			for _, address := range ready(slice) {
				all = append(all, net.JoinHostPort(address, strconv.Itoa(int(*p.Port))))
			}
		}
	}
	return all
}

func (t *table) slicesOf(namespace, service string) []*discoveryv1.EndpointSlice {
	selector := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service})
	slices, _ := t.slices.EndpointSlices(namespace).List(selector) // listing from memory does not fail
	return slices
}

// ready lists the addresses of a slice that traffic may go to; unknown counts as ready, as the API has it.
func ready(slice *discoveryv1.EndpointSlice) []string {
	var all []string
	for _, endpoint := range slice.Endpoints {
		if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
			all = append(all, endpoint.Addresses...)
		}
	}
	return all
}

// lookup resolves <service>.<namespace>.svc.cluster.local: to the ClusterIP or, for a headless Service, to its ready pods.
func (t *table) lookup(name string) ([]netip.Addr, bool) {
	rest, found := strings.CutSuffix(name, zone)
	service, namespace, two := strings.Cut(rest, ".")
	if !found || !two {
		return nil, false
	}
	s, err := t.services.Services(namespace).Get(service)
	if err != nil {
		return nil, false
	}
	if hasClusterIP(s) {
		return parse(s.Spec.ClusterIP), true
	}
	var all []netip.Addr
	for _, slice := range t.slicesOf(namespace, service) {
		all = append(all, parse(ready(slice)...)...)
	}
	return all, true
}

// node resolves the name of a node. On OpenShift the site's DNS knows it, to which the cluster's own passes on what it does not
// know; SPIRE's agents may ask the kubelet under this name.
func (t *table) node(name string) ([]netip.Addr, bool) {
	node, err := t.nodes.Get(name)
	if err != nil {
		return nil, false
	}
	var all []netip.Addr
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			all = append(all, parse(address.Address)...)
		}
	}
	return all, true
}

func parse(addresses ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range addresses {
		if address, err := netip.ParseAddr(text); err == nil && address.Is4() {
			all = append(all, address)
		}
	}
	return all
}
