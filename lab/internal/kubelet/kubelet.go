// Package kubelet is the lab's node: it runs every container of a pod as a
// process with its own view of the file system, in its pod's network namespace.
//
// It stands for kubelet and container runtime together, and does only what the
// lab's pods need; what it leaves out is listed in lab/README.md. The HTTP
// API for kubectl logs and exec is virtual-kubelet's.
package kubelet

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"spire-federation/lab/internal/images"
	"spire-federation/lab/internal/wake"
)

// shutdownGrace is how long containers may take to end when the node itself is stopped.
const shutdownGrace = 2 * time.Second

// Config says which node of which cluster to be.
type Config struct {
	// Rest is a client configuration with all rights: NodeRestriction would refuse what this node does.
	Rest *rest.Config
	// NodeName and NodeIP name the node; the IP is the bridge's own address.
	NodeName, NodeIP string
	// PodCIDR is the network of the pods' addresses, e.g. 198.18.16.0/21; the calling process is in the node's network namespace.
	PodCIDR string
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
	// Images is a file with more images, if there is one.
	Images string
}

type node struct {
	Config
	objects
	ctx       context.Context // ends when the node is to stop
	client    kubernetes.Interface
	lister    corelisters.PodLister
	events    record.EventRecorder
	images    images.Table
	nodeIP    netip.Addr
	addresses *addresses

	mu   sync.Mutex
	pods map[types.UID]*pod
}

// Run registers the node and runs its pods until ctx ends; it returns when all containers are gone. The main thread must be
// locked to main: else it could become one that sits in a pod's network, which /proc/self would show as the program's own.
func Run(ctx context.Context, c Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n, err := newNode(ctx, c)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(n.client, 0)
	core := factory.Core().V1()
	n.objects, n.lister = objects{core.ConfigMaps().Lister(), core.Secrets().Lister()}, core.Pods().Lister()

	changed := wake.New()
	if err := changed.OnChange(core.Pods().Informer()); err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if ctx.Err() != nil { // with nothing read, every pod would look removed
		return nil
	}
	if err := n.sweep(); err != nil {
		return err
	}

	failed := make(chan error, 2)
	go func() { failed <- n.serve(ctx) }()
	go func() { failed <- n.register(ctx) }()
	defer func() {
		cancel() // first: pods that end with their node stay in the API
		n.stopAll()
	}()
	for {
		if err := n.sync(changed.Send); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		case err := <-failed:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("node %s: %w", c.NodeName, err)
		}
	}
}

func newNode(ctx context.Context, c Config) (*node, error) {
	n := &node{Config: c, ctx: ctx, pods: map[types.UID]*pod{}}
	var err error
	if n.client, err = kubernetes.NewForConfig(c.Rest); err != nil {
		return nil, fmt.Errorf("client of the node: %w", err)
	}
	if n.images, err = images.Load(c.ImageOverrides, c.Images); err != nil {
		return nil, err
	}
	if n.nodeIP, err = netip.ParseAddr(c.NodeIP); err != nil {
		return nil, fmt.Errorf("node address: %w", err)
	}
	prefix, err := netip.ParsePrefix(c.PodCIDR)
	if err != nil {
		return nil, fmt.Errorf("pod network: %w", err)
	}
	n.addresses = &addresses{prefix: prefix, last: n.nodeIP, used: map[netip.Addr]bool{}}
	// Where OpenShift's nodes have it: SPIRE's agent checks with it whom it asks about pods.
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cluster CA: %w", err)
	}
	if err := put(filepath.Join(c.Dir, "hostfs/etc/kubernetes/kubelet-ca.crt"), string(ca), 0o644); err != nil {
		return nil, err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: n.client.CoreV1().Events("")})
	n.events = broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: "kubelet", Host: c.NodeName})
	return n, nil
}

// sweep removes what an earlier run of the node left of pods that exist no more.
func (n *node) sweep() error {
	if err := removeLinks(); err != nil {
		return err
	}
	pods, err := n.byUID()
	if err != nil {
		return err
	}
	dirs, err := os.ReadDir(filepath.Join(n.Dir, "pods"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, dir := range dirs {
		if pods[types.UID(dir.Name())] == nil {
			if err := os.RemoveAll(filepath.Join(n.Dir, "pods", dir.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// byUID lists the node's pods. Never by name: a StatefulSet's pod comes back under its
// old name, and the new one is not an update of the old one.
func (n *node) byUID() (map[types.UID]*v1.Pod, error) {
	list, err := n.lister.List(labels.Everything())
	pods := map[types.UID]*v1.Pod{}
	for _, pod := range list {
		if pod.Spec.NodeName == n.NodeName {
			pods[pod.UID] = pod
		}
	}
	return pods, err
}

// sync starts what is new, hands on what has changed, and stops what is gone from the API.
func (n *node) sync(ended func()) error {
	listed, err := n.byUID()
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for uid, object := range listed {
		p, known := n.pods[uid]
		if !known {
			p = n.newPod(object)
			n.pods[uid] = p
		}
		p.update(object)
		if !known {
			go func() { p.run(); ended() }()
		}
	}
	for uid, p := range n.pods {
		if listed[uid] != nil {
			continue
		}
		p.end(0)
		select {
		case <-p.done:
			delete(n.pods, uid)
		default: // once more when it has ended
		}
	}
	return nil
}

// stopAll ends every container but leaves the pods in the API.
func (n *node) stopAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pods {
		p.end(shutdownGrace)
	}
	for _, p := range n.pods {
		<-p.done
	}
}

// etc is a container's /etc, in place of this machine's.
func (n *node) etc(namespace, hostname, ip string) (map[string]string, error) {
	roots, err := os.ReadFile(n.CABundle)
	if err != nil {
		return nil, fmt.Errorf("CA bundle of containers: %w", err)
	}
	return map[string]string{
		"/etc/passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
		"/etc/group":         "root:x:0:\nnobody:x:65534:\n",
		"/etc/nsswitch.conf": "hosts: files dns\n",
		"/etc/hostname":      hostname + "\n",
		"/etc/hosts":         fmt.Sprintf("127.0.0.1 localhost\n::1 localhost\n%s %s\n", ip, hostname),
		"/etc/resolv.conf":   fmt.Sprintf("nameserver %s\nsearch %s.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n", n.DNS, namespace),
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": string(roots),
	}, nil
}
