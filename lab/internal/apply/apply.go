package apply

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const (
	fieldManager = "lab"
	// patience is how long an object may be refused for want of another one that is being made.
	patience = 3 * time.Minute
	// atOnce bounds parallel requests: more of them would not be faster on the machines this runs on.
	atOnce = 8
)

// Applier applies objects to one cluster.
type Applier struct {
	objects   dynamic.Interface
	discovery discovery.DiscoveryInterface

	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]kind
}

// kind is how the objects of a kind are addressed.
type kind struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

// New makes an Applier. The configuration must not throttle.
func New(config *rest.Config) (*Applier, error) {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Applier{objects: objects, discovery: found, kinds: map[schema.GroupVersionKind]kind{}}, nil
}

// CRDs reads the toolchain's CRDs that every OpenShift cluster has. Those of cert-manager and of spire-controller-manager are
// not among them: they come with the operators that OLM installs.
func CRDs(toolchain string) ([]unstructured.Unstructured, error) {
	var all []unstructured.Unstructured
	files, err := filepath.Glob(filepath.Join(toolchain, "crds", "*", "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if folder := filepath.Base(filepath.Dir(file)); folder == "cert-manager" || folder == "spire" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		objects, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

// Apply applies objects stage by stage. CRDs are served when it goes on to the next stage.
func (a *Applier) Apply(ctx context.Context, objects []unstructured.Unstructured) error {
	for _, stage := range stages(objects) {
		group, requests := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, object := range stage {
			group.Go(func() error {
				if err := a.applyOne(requests, object); err != nil {
					return fmt.Errorf("apply %s: %w", Name(object), err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := a.established(ctx, stage); err != nil {
			return err
		}
	}
	return nil
}

// applyOne applies one object and the status that its manifest gives it, again and again while something that it needs may still be on its way.
func (a *Applier) applyOne(ctx context.Context, object unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		client, err := a.client(object)
		if err == nil {
			options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
			_, err = client.Apply(ctx, object.GetName(), &object, options)
			if _, given := object.Object["status"]; given && err == nil {
				_, err = client.ApplyStatus(ctx, object.GetName(), &object, options)
			}
		}
		if err == nil || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// client returns the client for an object's kind and namespace.
func (a *Applier) client(object unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	k, err := a.kindOf(object.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if k.namespaced {
		return a.objects.Resource(k.resource).Namespace(object.GetNamespace()), nil
	}
	return a.objects.Resource(k.resource), nil
}

// kindOf asks the API server about a group and version once, and again only for a kind that it did not have.
func (a *Applier) kindOf(gvk schema.GroupVersionKind) (kind, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k, known := a.kinds[gvk]; known {
		return k, nil
	}
	list, err := a.discovery.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if err != nil {
		return kind{}, err
	}
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") { // a subresource
			continue
		}
		a.kinds[gvk.GroupVersion().WithKind(r.Kind)] = kind{gvk.GroupVersion().WithResource(r.Name), r.Namespaced}
	}
	k, known := a.kinds[gvk]
	if !known {
		return kind{}, fmt.Errorf("the API server does not serve %s", gvk)
	}
	return k, nil
}

// established waits until the CRDs among the objects are served.
func (a *Applier) established(ctx context.Context, objects []unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, object := range objects {
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		for {
			missing, err := a.missing(ctx, target{object, "Established"})
			if missing == "" && err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not established after %s", Name(object), patience)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

// Name is an object's kind, namespace and name, for people.
func Name(object unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetKind() + " " + object.GetName()
	}
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}
