// Package trustedca stands for what OpenShift's cluster-network-operator does with trusted CAs: it keeps the cluster's bundle, the
// system's roots and those of proxy/cluster's spec.trustedCA, in ConfigMap openshift-config-managed/trusted-ca-bundle, and writes
// it into each ConfigMap with the label config.openshift.io/inject-trusted-cabundle (source: pkg/controller/proxyconfig and
// pkg/controller/configmap_ca_injector of openshift/cluster-network-operator).
package trustedca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/standin/reconcile"
)

const (
	injectLabel = "config.openshift.io/inject-trusted-cabundle"
	bundleKey   = "ca-bundle.crt"
	owner       = "openshift.io/owning-component"
	component   = "Networking / cluster-network-operator"

	configs = "openshift-config"         // where proxy/cluster's trustedCA is
	managed = "openshift-config-managed" // where the cluster's bundle is
	bundle  = "trusted-ca-bundle"

	// systemRoots is what the operator's own image trusts, which is what every pod of the lab trusts.
	systemRoots = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
)

var proxies = schema.GroupVersionResource{Group: "config.openshift.io", Version: "v1", Resource: "proxies"}

type controller struct {
	client     kubernetes.Interface
	proxies    cache.GenericLister
	configMaps listers.ConfigMapLister
	roots      string
}

// Run serves the cluster until ctx ends.
func Run(ctx context.Context, _ []string) error {
	client, objects, err := reconcile.Clients()
	if err != nil {
		return err
	}
	roots, err := os.ReadFile(systemRoots)
	if err != nil {
		return fmt.Errorf("the system's roots: %w", err)
	}
	return run(ctx, client, objects, string(roots))
}

func run(ctx context.Context, client kubernetes.Interface, objects dynamic.Interface, roots string) error {
	typed, untyped := informers.NewSharedInformerFactory(client, 0), dynamicinformer.NewDynamicSharedInformerFactory(objects, 0)
	core, proxy := typed.Core().V1(), untyped.ForResource(proxies)
	c := &controller{client, proxy.Lister(), core.ConfigMaps().Lister(), roots}
	informed := []cache.SharedIndexInformer{proxy.Informer(), core.ConfigMaps().Informer()}
	typed.Start(ctx.Done())
	untyped.Start(ctx.Done())
	return reconcile.Run(ctx, c.sync, informed...)
}

func (c *controller) sync(ctx context.Context) error {
	pem, err := c.trusted()
	if err != nil {
		return err // as there: what has been written before stays
	}
	faults := []error{c.write(ctx, managed, bundle, pem)}
	wanted, _ := c.configMaps.List(labels.SelectorFromSet(labels.Set{injectLabel: "true"})) // a cache answers without errors
	for _, configMap := range wanted {
		faults = append(faults, c.write(ctx, configMap.Namespace, configMap.Name, pem))
	}
	return errors.Join(faults...)
}

// trusted is the cluster's bundle: the CAs that proxy/cluster names come before the system's.
func (c *controller) trusted() (string, error) {
	object, err := c.proxies.Get("cluster")
	if apierrors.IsNotFound(err) {
		return c.roots, nil
	}
	if err != nil {
		return "", err
	}
	name, _, _ := unstructured.NestedString(object.(*unstructured.Unstructured).Object, "spec", "trustedCA", "name")
	if name == "" {
		return c.roots, nil
	}
	configMap, err := c.configMaps.ConfigMaps(configs).Get(name)
	if err != nil {
		return "", fmt.Errorf("proxy/cluster: spec.trustedCA: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(configMap.Data[bundleKey])) {
		return "", fmt.Errorf("proxy/cluster: spec.trustedCA: ConfigMap %s/%s has no certificate under key %s", configs, name, bundleKey)
	}
	return configMap.Data[bundleKey] + "\n" + c.roots, nil
}

// write puts the bundle into a ConfigMap by server-side apply: other keys stay as they are.
func (c *controller) write(ctx context.Context, namespace, name, pem string) error {
	by := component
	if live, err := c.configMaps.ConfigMaps(namespace).Get(name); err == nil {
		if live.Data[bundleKey] == pem && live.Annotations[owner] != "" {
			return nil
		}
		if live.Annotations[owner] != "" {
			by = live.Annotations[owner] // whoever wrote it first
		}
	}
	object := applycore.ConfigMap(name, namespace).WithAnnotations(map[string]string{owner: by}).WithData(map[string]string{bundleKey: pem})
	options := metav1.ApplyOptions{FieldManager: "cluster-network-operator/configmap_ca", Force: true}
	if _, err := c.client.CoreV1().ConfigMaps(namespace).Apply(ctx, object, options); err != nil {
		return fmt.Errorf("%s/%s: %w", namespace, name, err)
	}
	log.Printf("wrote %s/%s", namespace, name)
	return nil
}
