// Package kubelet is the lab's node: it runs every container of a pod as a
// process with its own view of the file system, in its pod's network namespace.
//
// It stands for kubelet and container runtime together, and does only what the
// lab's pods need; what it leaves out is listed in lab/README.md.
package kubelet

import (
	"context"
	"errors"

	"k8s.io/client-go/rest"
)

// Config says which node of which cluster to be.
type Config struct {
	// Rest is a client configuration with all rights: NodeRestriction would refuse what this node does.
	Rest *rest.Config
	// NodeName and NodeIP name the node; the IP is the bridge's own address.
	NodeName, NodeIP string
	// PodCIDR is the network of the pods' addresses, e.g. 198.18.16.0/21; its bridge is in the current network namespace.
	PodCIDR, Bridge string
	// DNS is the resolver that containers get.
	DNS string
	// APIServiceIP is the address of Service default/kubernetes.
	APIServiceIP string
	// Dir holds what the node writes: pods/ and hostfs/, the root of hostPath volumes.
	Dir string
	// Toolchain is the directory whose bin/ the images' programs come from.
	Toolchain string
	// CABundle is a PEM file: the public roots that containers trust.
	CABundle string
	// ServiceCA is a PEM file, added to ServiceAccount volumes as service-ca.crt as soon as it exists.
	ServiceCA string
	// CAFile, CertFile and KeyFile are the cluster's CA and the node's serving certificate.
	CAFile, CertFile, KeyFile string
	// ImageOverrides maps image names to absolute paths of binaries to run instead.
	ImageOverrides map[string]string
}

// Run registers the node and runs its pods until ctx ends; it returns when all containers are gone.
func Run(ctx context.Context, c Config) error {
	return errors.New("kubelet: not there yet")
}

// ShimMain must be the first call in main: in a container's first process it
// builds the container's root, becomes the container's program and never returns.
func ShimMain() {}
