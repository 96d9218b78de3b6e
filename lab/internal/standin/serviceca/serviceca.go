// Package serviceca stands for OpenShift's service-CA operator: it gives annotated Services a serving certificate, writes
// the CA into annotated ConfigMaps, and publishes it to every namespace as ConfigMap openshift-service-ca.crt.
package serviceca

import (
	"context"
	"errors"
	"fmt"
	"log"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"

	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/standin/reconcile"
)

const (
	servingCertSecret = "service.beta.openshift.io/serving-cert-secret-name"
	injectCABundle    = "service.beta.openshift.io/inject-cabundle"
	originServiceName = "service.beta.openshift.io/originating-service-name"
	originServiceUID  = "service.beta.openshift.io/originating-service-uid"
	bundleKey         = "service-ca.crt"
	published         = "openshift-service-ca.crt" // on OpenShift, kube-controller-manager makes this one in every namespace
)

type controller struct {
	client     kubernetes.Interface
	ca         pki.CA
	namespaces listers.NamespaceLister
	services   listers.ServiceLister
	configMaps listers.ConfigMapLister
	secrets    listers.SecretLister
}

// Run serves the cluster until ctx ends.
func Run(ctx context.Context, _ []string) error {
	client, _, err := reconcile.Clients()
	if err != nil {
		return err
	}
	return run(ctx, client)
}

func run(ctx context.Context, client kubernetes.Interface) error {
	secret, err := client.CoreV1().Secrets("openshift-service-ca").Get(ctx, "signing-key", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read the CA's key: %w", err)
	}
	ca, err := pki.Load(pki.Pair{Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey]})
	if err != nil {
		return fmt.Errorf("secret signing-key: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	c := &controller{client, ca, core.Namespaces().Lister(), core.Services().Lister(), core.ConfigMaps().Lister(), core.Secrets().Lister()}
	factory.Start(ctx.Done())
	return reconcile.Run(ctx, c.sync,
		core.Namespaces().Informer(), core.Services().Informer(), core.ConfigMaps().Informer(), core.Secrets().Informer())
}

func (c *controller) sync(ctx context.Context) error {
	var faults []error
	namespaces, _ := c.namespaces.List(labels.Everything()) // an informer's cache answers without errors
	for _, namespace := range namespaces {
		faults = append(faults, c.publish(ctx, namespace))
	}
	configMaps, _ := c.configMaps.List(labels.Everything())
	for _, configMap := range configMaps {
		faults = append(faults, c.inject(ctx, configMap))
	}
	services, _ := c.services.List(labels.Everything())
	for _, service := range services {
		faults = append(faults, c.serve(ctx, service))
	}
	return errors.Join(faults...)
}

// publish makes the namespace's ConfigMap, which inject fills like any other.
func (c *controller) publish(ctx context.Context, namespace *corev1.Namespace) error {
	if _, missing := c.configMaps.ConfigMaps(namespace.Name).Get(published); missing == nil || namespace.DeletionTimestamp != nil {
		return nil
	}
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: published, Annotations: map[string]string{injectCABundle: "true"}}}
	_, err := c.client.CoreV1().ConfigMaps(namespace.Name).Create(ctx, configMap, metav1.CreateOptions{})
	return unlessOutdated(err)
}

// unlessOutdated drops the errors that come from a cache which is behind: the news wakes this controller anyway.
func unlessOutdated(err error) error {
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// inject writes the CA into a ConfigMap that asks for it. As on OpenShift, nothing else stays in it.
func (c *controller) inject(ctx context.Context, configMap *corev1.ConfigMap) error {
	ca := string(c.ca.Cert)
	if configMap.Annotations[injectCABundle] != "true" || len(configMap.Data) == 1 && configMap.Data[bundleKey] == ca {
		return nil
	}
	configMap = configMap.DeepCopy()
	configMap.Data = map[string]string{bundleKey: ca}
	_, err := c.client.CoreV1().ConfigMaps(configMap.Namespace).Update(ctx, configMap, metav1.UpdateOptions{})
	return unlessOutdated(err)
}

// serve gives an annotated Service the secret it names.
func (c *controller) serve(ctx context.Context, service *corev1.Service) error {
	name := service.Annotations[servingCertSecret]
	if name == "" {
		return nil
	}
	if existing, err := c.secrets.Secrets(service.Namespace).Get(name); err == nil {
		if existing.Annotations[originServiceUID] != string(service.UID) {
			return fmt.Errorf("service %s/%s: its secret %q was not made for it; delete the secret, or name another one", service.Namespace, service.Name, name)
		}
		return nil
	}
	data, err := issue(c.ca, service)
	if err != nil {
		return fmt.Errorf("serving certificate of service %s/%s: %w", service.Namespace, service.Name, err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:            name,
			Annotations:     map[string]string{originServiceName: service.Name, originServiceUID: string(service.UID)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Service", Name: service.Name, UID: service.UID}},
		},
		Type: corev1.SecretTypeTLS,
		Data: data,
	}
	if _, err = c.client.CoreV1().Secrets(service.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err == nil {
		log.Printf("issued %s/%s for service %s", service.Namespace, name, service.Name)
	}
	return unlessOutdated(err)
}
