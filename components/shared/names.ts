/**
 * The fixed names of the procedure and of the operators: people and programs look for exactly these.
 *
 * What ZTWIM runs is hard-coded in its operator (release 1.0.0); the rest is named by the documented procedure.
 */

/** The command over all stacks of a project, as `npx` knows it. A bare `npx mesh` would run a package of somebody else. */
export const PROGRAM = "spire-federation";

/** Namespace of everything ZTWIM runs; hard-coded in the operator. */
export const OPERAND_NAMESPACE = "zero-trust-workload-identity-manager";

/** Every object of ZTWIM and of OpenShift's configuration is a singleton of this name. */
export const SINGLETON = "cluster";

export const OPERATOR_API = "operator.openshift.io/v1alpha1";
export const SPIRE_API = "spire.spiffe.io/v1alpha1";
export const ROUTE_API = "route.openshift.io/v1";
export const CERT_MANAGER_API = "cert-manager.io/v1";
export const RBAC_API = "rbac.authorization.k8s.io/v1";

/** The controller ignores, in silence, every ClusterFederatedTrustDomain of another class. */
export const FEDERATION_CLASS = "zero-trust-workload-identity-manager-spire";

/** StatefulSet, Service and ConfigMap of the SPIRE server. */
export const SPIRE_SERVER = "spire-server";

/** Port of Service spire-server behind which the SPIRE server serves its bundle. */
export const BUNDLE_PORT = 8443;

/** Container beside the SPIRE server's that makes its relationships of ClusterFederatedTrustDomains. */
export const CONTROLLER_MANAGER = "spire-controller-manager";

/** DaemonSet of the SPIRE agents, and label `app.kubernetes.io/name` of their pods. */
export const SPIRE_AGENT = "spire-agent";

/** DaemonSet of the driver by which workloads mount the agent's socket. */
export const CSI_DRIVER = "spire-spiffe-csi-driver";

/** Deployment that serves the trust domain's JWT keys to those who know OIDC. */
export const OIDC_PROVIDER = "spire-spiffe-oidc-discovery-provider";

/** Role and RoleBinding that ZTWIM 1.1 makes for the router, which may list and watch all secrets of the namespace by it. */
export const OPERATORS_READER = "spire-server-external-cert-reader";

/** The operator's Route of the bundle endpoint, for `federation.<trust domain>`; it makes it when `managedRoute` is "true". */
export const FEDERATION_ROUTE = "spire-server-federation";

/** The stack's own Route of the bundle endpoint, beside the operator's, where another host or label is needed. */
export const OWN_ROUTE = "spire-federation-endpoint";

/** ConfigMap with the server's own X.509 roots, key `bundle.crt` (the default of `spec.bundleConfigMap`). */
export const SPIRE_BUNDLE = "spire-bundle";

/** Certificate and TLS secret of the bundle endpoint. */
export const CERTIFICATE_SECRET = "spire-server-federation-tls";

/** The router's own ServiceAccount, which reads the secret of a Route with `externalCertificate`. */
export const ROUTER = { namespace: "openshift-ingress", serviceAccount: "router" } as const;

export const SECRET_READER = { role: "secret-reader", binding: "secret-reader-binding" } as const;

/** ZTWIM's operator, as OLM installs it. */
export const ZTWIM = {
  packageName: "openshift-zero-trust-workload-identity-manager",
  csvPrefix: "zero-trust-workload-identity-manager.v",
  deployment: "zero-trust-workload-identity-manager-controller-manager",
} as const;

/** Variable of ZTWIM's operator: the ConfigMap that is mounted in SPIRE's containers in the place of the system's CAs. */
export const TRUSTED_CA_ENV = "TRUSTED_CA_BUNDLE_CONFIGMAP";

/** Selects the pod of ZTWIM's operator. */
export const OPERATOR_LABEL = "name=zero-trust-workload-identity-manager";

/** Where the cert-manager operator and its operands live. */
export const CERT_MANAGER = {
  packageName: "openshift-cert-manager-operator",
  namespace: "cert-manager-operator",
  operatorGroup: "openshift-cert-manager-operator",
  subscription: "openshift-cert-manager-operator",
  operandNamespace: "cert-manager",
  operatorDeployment: "cert-manager-operator-controller-manager",
} as const;

/** Marks the Subscription as declared by a stack; the value, the stack's name, is for people. */
export const STACK_ANNOTATION = "spire-federation/stack";

/** Field manager of everything this program patches; a changed name would leave the old one's fields behind. */
export const FIELD_MANAGER = "spire-federation";

/**
 * On every object that this program owns: Pulumi's own wait is off, which would hang or mislead, and the components wait
 * by themselves; and what somebody else has changed is put right instead of ending in a field manager's conflict.
 */
export const OWNED = { "pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true" };
