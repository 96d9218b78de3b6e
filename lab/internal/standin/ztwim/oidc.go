package ztwim

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
)

// oidcProvider publishes the server's JWT keys, and has the identities made that the product gives to its own pods and, as a
// fallback, to all others.
func (j *job) oidcProvider(ctx context.Context) error {
	if !j.valid() {
		return nil
	}
	if err := j.build(ctx, []part{
		{"oidc-service-account.yaml", "ServiceAccountAvailable", reasonReady, "All ServiceAccount resources available", reasonFailed},
		{"oidc-service.yaml", "ServiceAvailable", reasonReady, "All Service resources available", reasonFailed},
		{"oidc-spiffe-ids.yaml", "ClusterSPIFFEIDAvailable", "SpireClusterSpiffeIDResourcesReady",
			"Spire OIDC and default ClusterSpiffeID resources are ready", "SpireClusterSpiffeIDCreationFailed"},
		{"oidc-config.yaml", "ConfigMapAvailable", "SpireOIDCConfigMapCreationSucceeded", "Spire OIDC ConfigMap created", "SpireOIDCConfigMapCreationFailed"},
	}); err != nil {
		return err
	}
	if err := j.roll(ctx, deployments, "spire-spiffe-oidc-discovery-provider", "oidc-deployment.yaml", "SpireOIDC"); err != nil {
		return err
	}
	spec := j.view["spec"].(fields)
	if secret, _ := spec["externalSecretRef"].(string); secret != "" && !j.release.OneZero() {
		if err := j.build(ctx, []part{{"oidc-rbac.yaml", "RBACAvailable", reasonReady, "RBAC resources available", reasonFailed}}); err != nil {
			return err
		}
	}
	if spec["managedRoute"] != "true" {
		j.found.add(routeAvailable, false, "ManagedRouteDisabled", "Spire OIDC Managed Route disabled")
		return nil
	}
	did, err := j.apply(ctx, j.view, "oidc-route.yaml", nil)
	switch {
	case err != nil:
		j.found.add(routeAvailable, false, reasonOf(err, "ManagedRoute"+did.failed), err.Error())
	case did != nothing:
		j.found.add(routeAvailable, true, "ManagedRoute"+did.done, "Spire OIDC Managed Route "+strings.ToLower(did.done))
	case !meta.IsStatusConditionTrue(j.was, routeAvailable):
		j.found.add(routeAvailable, true, "ManagedRouteReady", "Spire OIDC Managed Route is ready")
	}
	return err
}
