package ztwim

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const bundleFile = "bundle.yaml"

// server runs SPIRE's server with its controller manager.
func (j *job) server(ctx context.Context) error {
	if !validate(j.view, meta.IsStatusConditionFalse(j.was, configurationValid), &j.found) {
		return nil // trying again would not help: the next edit does
	}
	if err := j.build(ctx, []part{
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
	}); err != nil {
		return err
	}
	if err := j.roll(ctx, statefulSets, "spire-server", "statefulset.yaml", "SpireServer"); err != nil {
		return err
	}
	return j.route(ctx)
}

// route leaves the Route without an owner: it outlives the server. A disabled one is not removed,
// and counts as a failure for Ready for ever.
func (j *job) route(ctx context.Context) error {
	managed, federates, _ := unstructured.NestedString(j.view, "spec", "federation", "managedRoute")
	if !federates {
		return nil
	}
	if managed != "true" {
		j.found.add(routeAvailable, false, "FederationRouteDisabled", "Federation managed route disabled")
		return nil
	}
	did, err := j.apply(ctx, j.view, "route.yaml", nil)
	switch {
	case err != nil:
		j.found.add(routeAvailable, false, reasonOf(err, "FederationRoute"+did.failed), err.Error())
	case did != nothing:
		j.found.add(routeAvailable, true, "FederationRoute"+did.done, "Federation route "+strings.ToLower(did.done))
	case !meta.IsStatusConditionTrue(j.was, routeAvailable):
		j.found.add(routeAvailable, true, routeAvailable, "Federation route is ready")
	}
	return err
}
