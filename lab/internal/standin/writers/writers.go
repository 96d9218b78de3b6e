// Package writers stands for the parts of OpenShift that write into everybody's Namespaces and ServiceAccounts: the
// cluster-policy-controller (ranges for SCCs, labels of pod security) and the openshift-controller-manager (default RoleBindings,
// pull secrets). The platform's own namespaces are left out, since nothing looks there.
package writers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"

	"spire-federation/lab/internal/standin/reconcile"
)

const (
	sccPrefix  = "openshift.io/sa.scc."
	pullSecret = "openshift.io/internal-registry-pull-secret-ref"
	tokenOf    = "openshift.io/internal-registry-auth-token.service-account"

	policyController = "cluster-policy-controller"
	labelSyncer      = "pod-security-admission-label-synchronization-controller"
)

type controller struct {
	client     kubernetes.Interface
	namespaces listers.NamespaceLister
	accounts   listers.ServiceAccountLister
	secrets    listers.SecretLister
	bindings   rbaclisters.RoleBindingLister
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
	factory := informers.NewSharedInformerFactory(client, 0)
	core, rbac := factory.Core().V1(), factory.Rbac().V1()
	c := &controller{client, core.Namespaces().Lister(), core.ServiceAccounts().Lister(), core.Secrets().Lister(), rbac.RoleBindings().Lister()}
	factory.Start(ctx.Done())
	return reconcile.Run(ctx, c.sync,
		core.Namespaces().Informer(), core.ServiceAccounts().Informer(), core.Secrets().Informer(), rbac.RoleBindings().Informer())
}

func (c *controller) sync(ctx context.Context) error {
	var faults []error
	namespaces, _ := c.namespaces.List(labels.Everything()) // an informer's cache answers without errors
	for _, namespace := range namespaces {
		if platform(namespace.Name) || namespace.DeletionTimestamp != nil {
			continue
		}
		faults = append(faults, c.annotate(ctx, namespace), c.label(ctx, namespace), c.bind(ctx, namespace.Name))
		for _, name := range []string{"builder", "deployer"} {
			if _, err := c.accounts.ServiceAccounts(namespace.Name).Get(name); apierrors.IsNotFound(err) {
				account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
				_, err := c.client.CoreV1().ServiceAccounts(namespace.Name).Create(ctx, account, metav1.CreateOptions{})
				faults = append(faults, unlessOutdated(err))
			}
		}
		accounts, _ := c.accounts.ServiceAccounts(namespace.Name).List(labels.Everything())
		for _, account := range accounts {
			faults = append(faults, c.pull(ctx, account))
		}
	}
	return errors.Join(faults...)
}

func platform(namespace string) bool {
	return strings.HasPrefix(namespace, "openshift-") || strings.HasPrefix(namespace, "kube-")
}

// unlessOutdated drops the errors that come from a cache which is behind: the news wakes this controller anyway.
func unlessOutdated(err error) error {
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

// annotate gives a Namespace the ranges from which SCCs take users, groups and SELinux levels.
func (c *controller) annotate(ctx context.Context, namespace *corev1.Namespace) error {
	if namespace.Annotations[sccPrefix+"uid-range"] != "" {
		return nil
	}
	number := fnv.New32a()
	_, _ = number.Write([]byte(namespace.Name))
	block := number.Sum32() % 20_000
	uids := fmt.Sprintf("%d/10000", 1_000_000_000+int(block)*10_000)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		sccPrefix + "mcs": fmt.Sprintf("s0:c%d,c%d", block%150+26, block%26), sccPrefix + "supplemental-groups": uids, sccPrefix + "uid-range": uids,
	}}})
	if err != nil {
		return err
	}
	_, err = c.client.CoreV1().Namespaces().Patch(ctx, namespace.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: policyController})
	return unlessOutdated(err)
}

// label tells which pod security standard the Namespace's ServiceAccounts can keep to; it is not enforced by these labels.
func (c *controller) label(ctx context.Context, namespace *corev1.Namespace) error {
	const prefix, standard, version = "pod-security.kubernetes.io/", "restricted", "latest"
	wanted := map[string]string{prefix + "audit": standard, prefix + "audit-version": version, prefix + "warn": standard, prefix + "warn-version": version}
	missing := false
	for key := range wanted {
		missing = missing || namespace.Labels[key] == ""
	}
	if !missing {
		return nil
	}
	object := applycore.Namespace(namespace.Name).WithLabels(wanted)
	_, err := c.client.CoreV1().Namespaces().Apply(ctx, object, metav1.ApplyOptions{FieldManager: labelSyncer, Force: true})
	return unlessOutdated(err)
}

// bind makes the RoleBindings that every project has.
func (c *controller) bind(ctx context.Context, namespace string) error {
	account := func(name string) rbacv1.Subject {
		return rbacv1.Subject{Kind: "ServiceAccount", Name: name, Namespace: namespace}
	}
	pullers := rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:" + namespace}
	var faults []error
	for role, subject := range map[string]rbacv1.Subject{
		"system:image-puller": pullers, "system:image-builder": account("builder"), "system:deployer": account("deployer"),
	} {
		name := role + "s"
		if _, err := c.bindings.RoleBindings(namespace).Get(name); !apierrors.IsNotFound(err) {
			continue
		}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{subject},
		}
		_, err := c.client.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{})
		faults = append(faults, unlessOutdated(err))
	}
	return errors.Join(faults...)
}

// pull gives a ServiceAccount a secret for the cluster's own registry, and names it in the ServiceAccount.
func (c *controller) pull(ctx context.Context, account *corev1.ServiceAccount) error {
	if account.DeletionTimestamp != nil {
		return nil
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(account.UID))
	name := fmt.Sprintf("%s-dockercfg-%05x", account.Name, sum.Sum32()&0xfffff)
	if _, err := c.secrets.Secrets(account.Namespace).Get(name); apierrors.IsNotFound(err) {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, Annotations: map[string]string{tokenOf: account.Name},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ServiceAccount", Name: account.Name, UID: account.UID}},
			},
			Type: corev1.SecretTypeDockercfg,
			Data: map[string][]byte{corev1.DockerConfigKey: []byte("{}")},
		}
		if _, err := c.client.CoreV1().Secrets(account.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
			return unlessOutdated(err)
		}
	}
	named := slices.ContainsFunc(account.ImagePullSecrets, func(r corev1.LocalObjectReference) bool { return r.Name == name }) &&
		slices.ContainsFunc(account.Secrets, func(r corev1.ObjectReference) bool { return r.Name == name })
	if named && account.Annotations[pullSecret] == name {
		return nil
	}
	object := applycore.ServiceAccount(account.Name, account.Namespace).WithAnnotations(map[string]string{pullSecret: name}).
		WithUID(account.UID).
		WithSecrets(applycore.ObjectReference().WithName(name)).
		WithImagePullSecrets(applycore.LocalObjectReference().WithName(name))
	_, err := c.client.CoreV1().ServiceAccounts(account.Namespace).Apply(ctx, object, metav1.ApplyOptions{FieldManager: "openshift.io/image-registry-pull-secrets_service-account-controller", Force: true})
	return unlessOutdated(err)
}
