// Package ztwim stands for the operator of the Zero Trust Workload Identity Manager, 1.0 or 1.1 as OPERATOR_VERSION says: it
// turns SpireServer/cluster, SpireAgent/cluster, SpiffeCSIDriver/cluster and SpireOIDCDiscoveryProvider/cluster into the
// objects that run SPIRE and reports as the operator does. Metrics are left out.
package ztwim

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2/textlogger"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllers "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"spire-federation/lab/internal/release"
)

var (
	group   = schema.GroupVersion{Group: "operator.openshift.io", Version: "v1alpha1"}
	manager = group.WithKind("ZeroTrustWorkloadIdentityManager")
	server  = group.WithKind("SpireServer")
	agent   = group.WithKind("SpireAgent")
	driver  = group.WithKind("SpiffeCSIDriver")
	oidc    = group.WithKind("SpireOIDCDiscoveryProvider")

	statefulSet       = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}
	operatorCondition = schema.GroupVersionKind{Group: "operators.coreos.com", Version: "v1", Kind: "OperatorCondition"}

	deployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	daemonSet  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DaemonSet"}

	operands = []schema.GroupVersionKind{server, agent, driver, oidc}
	owned    = []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "ServiceAccount"},
		statefulSet,
		daemonSet,
		deployment,
		{Group: "spire.spiffe.io", Version: "v1alpha1", Kind: "ClusterSPIFFEID"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingWebhookConfiguration"},
		{Group: "route.openshift.io", Version: "v1", Kind: "Route"},
		{Group: "security.openshift.io", Version: "v1", Kind: "SecurityContextConstraints"},
		{Group: "storage.k8s.io", Version: "v1", Kind: "CSIDriver"},
	}
)

// operator reads from the cache, as the real one does: right after a write it may still see the state before.
type operator struct {
	client.Client
	release       release.Release
	namespace     string
	conditionName string // of its OperatorCondition
	createOnly    bool
}

// Run runs the operator until ctx ends. It takes the flags and environment of the real one.
func Run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("ztwim-operator", flag.ContinueOnError)
	health := flags.String("health-probe-bind-address", ":8081", "where /healthz and /readyz are served")
	verbosity := flags.Int("v", 2, "log verbosity")
	for _, name := range []string{"metrics-bind-address", "metrics-secure", "metrics-cert-dir"} {
		flags.String(name, "", "accepted and ignored: no metrics are served")
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	o := &operator{release: release.Of(os.Getenv("OPERATOR_VERSION"))}
	for name, value := range map[string]*string{"OPERATOR_NAMESPACE": &o.namespace, "OPERATOR_CONDITION_NAME": &o.conditionName} {
		if *value = os.Getenv(name); *value == "" {
			return fmt.Errorf("%s is not set; OLM and the operator's Deployment set it", name)
		}
	}
	mode := os.Getenv("CREATE_ONLY_MODE")
	o.createOnly = mode == "true" || !o.release.OneZero() && strings.EqualFold(strings.TrimSpace(mode), "true")
	ctrl.SetLogger(textlogger.NewLogger(textlogger.NewConfig(textlogger.Verbosity(*verbosity))))
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	config.QPS, config.Burst = 50, 100
	config.UserAgent = product // and so the name of its field manager
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Cache:                  cacheOptions(),
		Client:                 client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		HealthProbeBindAddress: *health,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		// 1.0 has none: while OLM restarts it, its old and its new process overwrite each other's conditions.
		LeaderElection:                !o.release.OneZero(),
		LeaderElectionID:              product + ".operator.openshift.io",
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,

		Controller: controllers.Controller{SkipNameValidation: ptr.To(true)}, // names matter to metrics only
	})
	if err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	o.Client = mgr.GetClient()
	if err := o.watch(mgr); err != nil {
		return fmt.Errorf("set up the watches: %w", err)
	}
	for _, add := range []func(string, healthz.Checker) error{mgr.AddHealthzCheck, mgr.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return fmt.Errorf("set up the probes: %w", err)
		}
	}
	return mgr.Start(ctx)
}

// cacheOptions keeps the operator's own objects, known by their labels, and the custom resources.
func cacheOptions() cache.Options {
	options := cache.Options{
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{managedBy: product}),
		ByObject:             map[client.Object]cache.ByObject{object(manager): {Label: labels.Everything()}},
	}
	for _, kind := range append([]schema.GroupVersionKind{operatorCondition}, operands...) {
		options.ByObject[object(kind)] = cache.ByObject{Label: labels.Everything()}
	}
	return options
}

func (o *operator) watch(mgr ctrl.Manager) error {
	cluster := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: "cluster"}}}
	})
	comesOrGoes := builder.WithPredicates(predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }})
	for _, c := range []struct {
		kind  schema.GroupVersionKind
		part  string
		bring func(*job, context.Context) error
	}{
		{server, controlPlane, (*job).server},
		{agent, nodeAgent, (*job).agent},
		{driver, csi, (*job).csiDriver},
		{oidc, issuer, (*job).oidcProvider},
	} {
		its := builder.WithPredicates(predicate.NewPredicateFuncs(func(u client.Object) bool { return u.GetLabels()[component] == c.part }))
		controller := ctrl.NewControllerManagedBy(mgr).Named(c.part).
			For(object(c.kind), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, ownersChanged))).
			Watches(object(manager), cluster, comesOrGoes)
		for _, kind := range owned {
			controller = controller.Watches(object(kind), cluster, its)
		}
		if err := controller.Complete(o.reconciler(c.kind, c.bring)); err != nil {
			return err
		}
	}
	managers := ctrl.NewControllerManagedBy(mgr).Named("manager").
		For(object(manager), builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	for _, kind := range append([]schema.GroupVersionKind{operatorCondition}, operands...) {
		managers = managers.Watches(object(kind), cluster)
	}
	return managers.Complete(reconcile.Func(o.reconcileManager))
}

var ownersChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	return !equality.Semantic.DeepEqual(e.ObjectOld.GetOwnerReferences(), e.ObjectNew.GetOwnerReferences())
}}

func object(kind schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u
}
