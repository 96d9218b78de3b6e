/** What the API servers of our tests serve: a request for anything else is a misspelt kind, which a real one would answer with 404. */

const SERVED: Record<string, string> = {
  v1: "ConfigMap Event Namespace Node Pod Secret Service ServiceAccount",
  "acme.cert-manager.io/v1": "Challenge Order",
  "admissionregistration.k8s.io/v1": "ValidatingWebhookConfiguration",
  "apiextensions.k8s.io/v1": "CustomResourceDefinition",
  "apps/v1": "DaemonSet Deployment StatefulSet",
  "cert-manager.io/v1": "Certificate CertificateRequest ClusterIssuer Issuer",
  "config.openshift.io/v1": "ClusterVersion Ingress Proxy",
  "networking.k8s.io/v1": "IngressClass NetworkPolicy",
  "olm.operatorframework.io/v1": "ClusterExtension",
  "operator.openshift.io/v1alpha1":
    "CertManager SpiffeCSIDriver SpireAgent SpireOIDCDiscoveryProvider SpireServer ZeroTrustWorkloadIdentityManager",
  "operators.coreos.com/v1": "OperatorGroup",
  "operators.coreos.com/v1alpha1": "CatalogSource ClusterServiceVersion InstallPlan Subscription",
  "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
  "route.openshift.io/v1": "Route",
  "spire.spiffe.io/v1alpha1": "ClusterFederatedTrustDomain ClusterSPIFFEID ClusterStaticEntry",
};

/** @throws Error where no cluster serves that kind */
export function demandServed(apiVersion: string, kind: string): void {
  if (!SERVED[apiVersion]?.split(" ").includes(kind))
    throw new Error(`no cluster serves ${kind} of "${apiVersion}"; test/components/apis.ts lists what is served`);
}
