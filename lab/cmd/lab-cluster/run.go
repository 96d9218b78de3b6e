package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/control"
	"spire-federation/lab/internal/dns"
	"spire-federation/lab/internal/kubelet"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/internal/services"
	"spire-federation/lab/internal/state"
	"spire-federation/lab/manifests"
)

// operatorImage is the one that --ztwim-operator replaces.
const operatorImage = "registry.redhat.io/zero-trust-workload-identity-manager/zero-trust-workload-identity-manager-rhel9"

// run starts everything and returns when a part has failed for good.
func (c *cluster) run(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return err
	}
	manifests, err := c.manifests()
	if err != nil {
		return err
	}
	audit, err := control.WriteAudit(c.dir())
	if err != nil {
		return err
	}
	admission, err := control.WriteAdmission(c.dir())
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	server := func(p control.Process) {
		group.Go(func() error {
			return p.Run(ctx, control.Folders{Bin: filepath.Join(c.Toolchain, "bin"), Dir: c.dir()}, c.ready)
		})
	}
	server(control.Etcd(c.dir()))
	server(control.APIServer(c.plan, c.certs(), audit, admission))
	group.Go(func() error {
		c.say(state.Starting, nil, "its API server")
		if err := untilServing(ctx, client); err != nil {
			return err
		}
		server(control.ControllerManager(c.certs()))
		server(control.Scheduler(c.certs()))
		group.Go(func() error { return services.Run(ctx, client, c.services, c.plan, dns.World(c.Clusters)) })
		group.Go(func() error { return kubelet.Run(ctx, c.node()) })
		group.Go(func() error { return c.approve(ctx) })
		return c.bringUp(ctx, client, manifests)
	})
	return group.Wait()
}

// untilServing waits for the API server; one that crashes is reported by who runs it.
func untilServing(ctx context.Context, client kubernetes.Interface) error {
	for client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() != nil {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// manifests reads all that the cluster starts with: the toolchain's CRDs first, then the lab's own files.
func (c *cluster) manifests() ([]apply.File, error) {
	crds, err := apply.CRDs(c.Toolchain)
	if err != nil {
		return nil, err
	}
	webCA, err := pki.Read(c.state.CA(), "web-ca")
	if err != nil {
		return nil, err
	}
	serviceCA, err := pki.Read(c.certs(), pki.ServiceCA)
	if err != nil {
		return nil, err
	}
	files, err := apply.Render(manifests.Files, values(c.plan, c.TrustDomains, c.release, webCA, serviceCA))
	return append([]apply.File{{Name: "the toolchain's CRDs", Objects: crds}}, files...), err
}

func values(plan network.Plan, trustDomains network.TrustDomains, ztwim release.Release, webCA, serviceCA pki.Pair) apply.Values {
	return apply.Values{
		Cluster: plan.Name, Domain: plan.Domain, TrustDomain: trustDomains.Of(plan), NodeIP: plan.NodeIP.String(),
		WebCA: webCA, ServiceCA: serviceCA, ZTWIM: ztwim,
	}
}

func (c *cluster) node() kubelet.Config {
	cert := func(name string) string { return filepath.Join(c.certs(), name) }
	config := kubelet.Config{
		Rest:         c.config,
		NodeName:     network.NodeName,
		NodeIP:       c.plan.NodeIP.String(),
		PodCIDR:      c.plan.Pods.String(),
		DNS:          c.plan.DNS.String(),
		APIServiceIP: c.plan.APIService.String(),
		Dir:          c.dir(),
		Toolchain:    c.Toolchain,
		CABundle:     c.state.Roots(),
		ServiceCA:    cert(pki.ServiceCA + ".crt"),
		CAFile:       cert(pki.ClusterCA + ".crt"),
		CertFile:     cert(pki.Kubelet + ".crt"),
		KeyFile:      cert(pki.Kubelet + ".key"),
		Images:       c.Images,
	}
	if c.Operator != "" {
		config.ImageOverrides = map[string]string{operatorImage: c.Operator}
	}
	return config
}

// bringUp applies the manifests, and says from then on what of them is not there.
func (c *cluster) bringUp(ctx context.Context, client kubernetes.Interface, files []apply.File) error {
	applier, err := apply.New(c.config)
	if err != nil {
		return err
	}
	var all []unstructured.Unstructured
	for _, file := range files {
		if err := c.waitFor(ctx, applier, apply.First(all, file.Objects)); err != nil {
			return err
		}
		c.say(state.Starting, nil, "the objects of "+file.Name)
		if err := applier.Apply(ctx, file.Objects); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		all = append(all, file.Objects...)
	}
	return c.watch(ctx, applier, append(all, c.nodeObject()))
}

// waitFor waits until objects are ready.
func (c *cluster) waitFor(ctx context.Context, applier *apply.Applier, objects []unstructured.Unstructured) error {
	var said []string
	for {
		missing, err := applier.Missing(ctx, objects)
		if err != nil {
			missing = []string{"its API server: " + err.Error()}
		}
		if len(missing) == 0 {
			return nil
		}
		if !slices.Equal(missing, said) {
			c.say(state.Starting, nil, missing...)
			said = missing
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// nodeObject is the one thing to wait for that no manifest has.
func (c *cluster) nodeObject() unstructured.Unstructured {
	return unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": network.NodeName, "annotations": map[string]any{apply.ReadyWhen: "Ready"}},
	}}
}

// answersWithin is how long an API server may hang before the status says so.
const answersWithin = 5 * time.Second

// watch keeps the status true: often until all was there once, then rarely.
func (c *cluster) watch(ctx context.Context, applier *apply.Applier, objects []unstructured.Unstructured) error {
	phase, every := state.Starting, 200*time.Millisecond
	var said []string
	for first := true; ; first = false {
		soon, cancel := context.WithTimeout(ctx, answersWithin)
		missing, err := applier.Missing(soon, objects)
		cancel()
		if err != nil {
			missing = []string{"its API server: " + err.Error()}
		}
		before := phase
		switch {
		case len(missing) == 0 && phase == state.Starting:
			close(c.ready)
			phase, every = state.Ready, 10*time.Second
		case len(missing) == 0:
			phase = state.Ready
		case phase != state.Starting:
			phase = state.Degraded
		}
		if first || phase != before || !slices.Equal(missing, said) {
			c.say(phase, nil, missing...)
			said = missing
		}
		if err := pause(ctx, every); err != nil {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
