/**
 * The manifests of the documented procedure, as the page has them, for somebody who applies them by hand.
 *
 * Corrected where the page cannot be applied as it stands: the API group of the Subscription; the SpireServer's
 * `spec.trustDomain`, which the released CRD does not have.
 */
import { NAMESPACE } from "../client/cluster";

/** Certificate, and the secret that it is written to. */
export const CERTIFICATE = "spire-server-federation-tls";

/** Step 1. */
export const certManagerOperator = `
apiVersion: v1
kind: Namespace
metadata:
  name: cert-manager-operator
---
apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata:
  name: openshift-cert-manager-operator
  namespace: cert-manager-operator
spec:
  upgradeStrategy: Default
---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata:
  name: openshift-cert-manager-operator
  namespace: cert-manager-operator
spec:
  source: redhat-operators
  sourceNamespace: openshift-marketplace
  name: openshift-cert-manager-operator
  channel: stable-v1
`;

/** Step 4: the page has one for certificates of a public CA, and one for an internal CA. */
export const issuers = {
  "letsencrypt-http01": `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: letsencrypt-http01
  namespace: ${NAMESPACE}
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    privateKeySecretRef:
      name: letsencrypt-account-key
    solvers:
    - http01:
        ingress:
          ingressClassName: openshift-default
`,
  "internal-ca": `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: internal-ca
  namespace: ${NAMESPACE}
spec:
  ca:
    secretName: internal-ca-key-pair
`,
};

export type IssuerName = keyof typeof issuers;

/** Step 7. */
export const certificate = (federationDomain: string, issuer: IssuerName): string => `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: ${CERTIFICATE}
  namespace: ${NAMESPACE}
spec:
  secretName: ${CERTIFICATE}
  duration: 2160h
  renewBefore: 360h
  commonName: ${federationDomain}
  dnsNames:
  - ${federationDomain}
  usages:
  - server auth
  - digital signature
  - key encipherment
  issuerRef:
    kind: Issuer
    name: ${issuer}
`;

/** Step 10. */
export const routerAccess = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: secret-reader
  namespace: ${NAMESPACE}
rules:
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: ["${CERTIFICATE}"]
  verbs: ["get", "list", "watch"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: secret-reader-binding
  namespace: ${NAMESPACE}
subjects:
- kind: ServiceAccount
  name: router
  namespace: openshift-ingress
roleRef:
  kind: Role
  name: secret-reader
  apiGroup: rbac.authorization.k8s.io
`;

/** A cluster as the others see it. */
export interface Remote {
  trustDomain: string;
  url: string;
}

/** Step 11; with `remotes`, step 19. */
export const spireServer = (remotes: readonly Remote[]): string => `
apiVersion: operator.openshift.io/v1alpha1
kind: SpireServer
metadata:
  name: cluster
spec:
  federation:
    bundleEndpoint:
      profile: https_web
      refreshHint: 300
      httpsWeb:
        servingCert:
          fileSyncInterval: 86400
          externalSecretRef: ${CERTIFICATE}
    managedRoute: "true"
${remotes.length === 0 ? "" : `    federatesWith:\n${remotes.map(federatesWith).join("")}`}`;

const federatesWith = ({ trustDomain, url }: Remote): string => `
    - trustDomain: ${trustDomain}
      bundleEndpointUrl: ${url}
      bundleEndpointProfile: https_web
`;

/** Step 17. */
export const federatedTrustDomain = (name: string, { trustDomain, url }: Remote, bundle: string): string => `
apiVersion: spire.spiffe.io/v1alpha1
kind: ClusterFederatedTrustDomain
metadata:
  name: ${name}
spec:
  trustDomain: ${trustDomain}
  bundleEndpointURL: ${url}
  bundleEndpointProfile:
    type: https_web
  className: zero-trust-workload-identity-manager-spire
  trustDomainBundle: '${bundle}'
`;
