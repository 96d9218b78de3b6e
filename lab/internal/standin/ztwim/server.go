package ztwim

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// parts are the operands in the order of creation, each with the condition that reports it.
var parts = []struct{ file, condition, reason, message, failure string }{
	{"service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
	{"services.yaml", "ServiceAvailable", reasonReady, "All Service resources available", reasonFailed},
	{"rbac.yaml", "RBACAvailable", reasonReady, "All RBAC resources available", reasonFailed},
	{"webhook.yaml", "ValidatingWebhookAvailable", reasonReady, "All ValidatingWebhookConfiguration resources available", reasonFailed},
	{"server-config.yaml", "ServerConfigMapAvailable", "SpireConfigMapResourceCreated",
		"SpireServer config map resources applied", "SpireServerConfigMapGenerationFailed"},
	{"controller-manager-config.yaml", "ControllerManagerConfigAvailable", "SpireControllerManagerConfigMapCreated",
		"spire controller manager config map resources applied", "SpireControllerManagerConfigMapGenerationFailed"},
	{bundleFile, "BundleConfigAvailable", "SpireBundleConfigMapCreated",
		"spire bundle config map resources applied", "SpireBundleConfigMapGenerationFailed"},
}

const bundleFile = "bundle.yaml"

// reconcileServer brings everything into line with SpireServer/cluster. An error is tried again after 5 ms,
// then twice as long each time up to a quarter of an hour: a Route refused for long is retried late.
func (o *operator) reconcileServer(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	s := object(server)
	if err := o.Get(ctx, request.NamespacedName, s); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if err := o.announce(ctx, s); err != nil {
		return reconcile.Result{}, err
	}
	var found findings
	failure := o.applyServer(ctx, s, &found)
	found.conclude(failure)
	if err := o.report(ctx, s, found, nil); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "the status is out of date")
	}
	return reconcile.Result{}, failure
}

func (o *operator) applyServer(ctx context.Context, s *unstructured.Unstructured, found *findings) error {
	owner := object(manager)
	if err := o.Get(ctx, types.NamespacedName{Name: "cluster"}, owner); errors.IsNotFound(err) {
		found.add(ready, false, reasonFailed, "Failed to retrieve ZeroTrustWorkloadIdentityManager from cluster")
		return nil
	} else if err != nil {
		return err
	}
	if err := o.adopt(ctx, owner, s); err != nil {
		found.add(ready, false, reasonFailed, fmt.Sprintf("Failed to update SpireServer with owner reference: %v", err))
		return err
	}
	was, err := statusOf(s)
	if err != nil {
		return err
	}
	if o.createOnly {
		found.add(createOnlyMode, true, "CreateOnlyModeEnabled", "Create-Only Mode is active: Updates are not reconciled to existing resources")
	} else if meta.IsStatusConditionTrue(was.Conditions, createOnlyMode) {
		found.add(createOnlyMode, false, "CreateOnlyModeDisabled", "Create-only mode is disabled")
	}
	spec, _, _ := unstructured.NestedMap(s.Object, "spec")
	settings, _, _ := unstructured.NestedMap(owner.Object, "spec")
	if !validate(spec, settings, meta.IsStatusConditionFalse(was.Conditions, configurationValid), found) {
		return nil // trying again would not help: the next edit does
	}
	v, err := newView(spec, settings, o.namespace)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := o.apply(ctx, v, part.file, s); err != nil {
			found.add(part.condition, false, part.failure, err.Error())
			return err
		}
		found.add(part.condition, true, part.reason, part.message)
	}
	if did, err := o.apply(ctx, v, "statefulset.yaml", s); err != nil {
		found.add("StatefulSetAvailable", false, "SpireServerStatefulSet"+did.failed, err.Error())
		return err
	}
	o.checkStatefulSet(ctx, found)
	return o.applyRoute(ctx, v, meta.IsStatusConditionTrue(was.Conditions, routeAvailable), found)
}

// adopt makes the manager the server's owner. The whole object is written back, and so come back Go's spelling
// of durations and the one default that is not the CRD's; later edits stay as their author wrote them.
func (o *operator) adopt(ctx context.Context, owner, s *unstructured.Unstructured) error {
	if owners := s.GetOwnerReferences(); len(owners) > 0 && owners[0].UID == owner.GetUID() {
		return nil
	}
	if err := controllerutil.SetControllerReference(owner, s, o.Scheme()); err != nil {
		return err
	}
	spec := s.Object["spec"].(fields)
	for _, field := range validities {
		text, err := duration(fmt.Sprint(spec[field]))
		if err != nil {
			return fmt.Errorf("spec.%s: %w", field, err)
		}
		spec[field] = text
	}
	if store := spec["datastore"].(fields); store["connMaxLifetime"] == nil {
		store["connMaxLifetime"] = int64(0)
	}
	return o.Update(ctx, s)
}

func (o *operator) checkStatefulSet(ctx context.Context, found *findings) {
	const condition = "StatefulSetAvailable"
	set := object(statefulSet)
	key := types.NamespacedName{Namespace: o.namespace, Name: "spire-server"}
	if err := o.Get(ctx, key, set); err != nil {
		found.add(condition, false, "StatefulSetNotFound", fmt.Sprintf("Failed to get StatefulSet %s: %v", key, err))
		return
	}
	count := func(field string) int64 {
		n, _, _ := unstructured.NestedInt64(set.Object, "status", field)
		return n
	}
	switch generation, observed := set.GetGeneration(), count("observedGeneration"); {
	case observed != generation:
		found.add(condition, false, notReady, fmt.Sprintf("StatefulSet update in progress (generation %d, observed %d)", generation, observed))
	case count("readyReplicas") != 1:
		found.add(condition, false, notReady, fmt.Sprintf("StatefulSet has %d/1 replicas ready", count("readyReplicas")))
	case count("updatedReplicas") != 1:
		found.add(condition, false, notReady, fmt.Sprintf("StatefulSet has %d/1 replicas updated", count("updatedReplicas")))
	default:
		found.add(condition, true, "StatefulSetReady", "StatefulSet spire-server is healthy with 1/1 replicas ready")
	}
}

// applyRoute leaves the Route without an owner: it outlives the server. A disabled one is not removed,
// and counts as a failure for Ready for ever.
func (o *operator) applyRoute(ctx context.Context, v fields, was bool, found *findings) error {
	managed, federates, _ := unstructured.NestedString(v, "spec", "federation", "managedRoute")
	if !federates {
		return nil
	}
	if managed != "true" {
		found.add(routeAvailable, false, "FederationRouteDisabled", "Federation managed route disabled")
		return nil
	}
	did, err := o.apply(ctx, v, "route.yaml", nil)
	switch {
	case err != nil:
		found.add(routeAvailable, false, "FederationRoute"+did.failed, err.Error())
	case did != nothing:
		found.add(routeAvailable, true, "FederationRoute"+did.done, "Federation route "+strings.ToLower(did.done))
	case !was:
		found.add(routeAvailable, true, routeAvailable, "Federation route is ready")
	}
	return err
}
