// Package ingress stands for OpenShift's ingress-to-route controller: for each path of an Ingress it makes a Route without TLS.
package ingress

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	listers "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"spire-federation/lab/internal/standin/reconcile"
)

// controllerName is what an IngressClass has for its Ingresses to become Routes.
const controllerName = "openshift.io/ingress-to-route"

var (
	ingressKind    = networkingv1.SchemeGroupVersion.WithKind("Ingress")
	routesResource = schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}
)

type controller struct {
	client    dynamic.NamespaceableResourceInterface
	routes    cache.Store
	ingresses listers.IngressLister
	classes   listers.IngressClassLister
	services  corelisters.ServiceLister
}

// Run serves the cluster until ctx ends.
func Run(ctx context.Context, _ []string) error {
	client, routes, err := reconcile.Clients()
	if err != nil {
		return err
	}
	return run(ctx, client, routes)
}

func run(ctx context.Context, client kubernetes.Interface, routes dynamic.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	networking, services := factory.Networking().V1(), factory.Core().V1().Services()
	existing := dynamicinformer.NewFilteredDynamicInformer(routes, routesResource, "", 0, cache.Indexers{}, nil).Informer()
	c := &controller{
		routes.Resource(routesResource), existing.GetStore(),
		networking.Ingresses().Lister(), networking.IngressClasses().Lister(), services.Lister(),
	}
	factory.Start(ctx.Done())
	go existing.RunWithContext(ctx)
	return reconcile.Run(ctx, c.sync,
		networking.IngressClasses().Informer(), services.Informer(), networking.Ingresses().Informer(), existing)
}

func (c *controller) sync(ctx context.Context) error {
	var faults []error
	wanted := map[string]*unstructured.Unstructured{}
	ingresses, _ := c.ingresses.List(labels.Everything()) // an informer's cache answers without errors
	for _, ingress := range ingresses {
		if !c.manages(ingress) {
			continue
		}
		routes, err := c.convert(ingress)
		if err != nil {
			faults = append(faults, fmt.Errorf("ingress %s/%s: %w", ingress.Namespace, ingress.Name, err))
		}
		for _, route := range routes {
			wanted[cache.MetaObjectToName(route).String()] = route
		}
	}
	for _, item := range c.routes.List() {
		route := item.(*unstructured.Unstructured)
		key := cache.MetaObjectToName(route).String()
		if owner := metav1.GetControllerOf(route); wanted[key] == nil && owner != nil && owner.Kind == ingressKind.Kind {
			err := c.client.Namespace(route.GetNamespace()).Delete(ctx, route.GetName(), metav1.DeleteOptions{})
			if !apierrors.IsNotFound(err) { // the garbage collector may have been faster
				faults = append(faults, err)
			}
		}
		delete(wanted, key)
	}
	for key, route := range wanted {
		_, err := c.client.Namespace(route.GetNamespace()).Create(ctx, route, metav1.CreateOptions{})
		if err == nil {
			log.Printf("made route %s", key)
		} else if !apierrors.IsAlreadyExists(err) { // otherwise the informer is behind
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// manages says whether the Ingress is of a class of this controller or, as on OpenShift, of none.
func (c *controller) manages(ingress *networkingv1.Ingress) bool {
	if ingress.Spec.IngressClassName == nil {
		return true
	}
	class, err := c.classes.Get(*ingress.Spec.IngressClassName)
	return err == nil && class.Spec.Controller == controllerName
}

// convert makes an Ingress's Routes. As on OpenShift, none is for every host, and none for an exact path, because Routes have no such.
func (c *controller) convert(ingress *networkingv1.Ingress) (routes []*unstructured.Unstructured, err error) {
	for _, rule := range ingress.Spec.Rules {
		if rule.Host == "" || rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			backend := path.Backend.Service
			if backend == nil || ptr.Deref(path.PathType, "") == networkingv1.PathTypeExact {
				continue
			}
			port, fault := c.port(ingress.Namespace, backend)
			if fault != nil {
				err = errors.Join(err, fault)
				continue
			}
			routes = append(routes, route(ingress, rule.Host, path.Path, backend.Name, port))
		}
	}
	return routes, err
}

// port is the name of the Service's port, by which a Route knows it; "" for the only port of a Service, which needs none.
func (c *controller) port(namespace string, backend *networkingv1.IngressServiceBackend) (string, error) {
	service, err := c.services.Services(namespace).Get(backend.Name)
	if err != nil {
		return "", err
	}
	for _, port := range service.Spec.Ports {
		if name := backend.Port.Name; name != "" && port.Name == name || name == "" && port.Port == backend.Port.Number {
			return port.Name, nil
		}
	}
	return "", fmt.Errorf("service %q has no port %s%d", backend.Name, backend.Port.Name, backend.Port.Number)
}

// route has a hash of all that it says in its name: what an Ingress says differently is another Route.
func route(ingress *networkingv1.Ingress, host, path, service, port string) *unstructured.Unstructured {
	spec := map[string]any{"host": host, "path": path, "to": map[string]any{"kind": "Service", "name": service}}
	if port != "" {
		spec["port"] = map[string]any{"targetPort": port}
	}
	hash := fnv.New32a()
	fmt.Fprint(hash, ingress.UID, spec)
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(routesResource.GroupVersion().WithKind("Route"))
	object.SetNamespace(ingress.Namespace)
	object.SetName(fmt.Sprintf("%s-%08x", ingress.Name, hash.Sum32()))
	object.SetLabels(ingress.Labels)
	object.SetAnnotations(ingress.Annotations)
	object.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: ingressKind.GroupVersion().String(), Kind: ingressKind.Kind, Name: ingress.Name, UID: ingress.UID, Controller: ptr.To(true),
	}})
	return object
}
