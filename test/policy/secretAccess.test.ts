import { onlyTheRouterReads, roleNamesOneSecret, secretsNotClusterWide } from "../../policy/secretAccess";
import type { Resource } from "../../policy/rule";
import { object, testRule } from "./cases";

const RBAC = "rbac.authorization.k8s.io/v1";
const SECRET = "spire-server-federation-tls";
const READ = ["get", "list", "watch"];
const theSecret = { apiGroups: [""], resources: ["secrets"], resourceNames: [SECRET], verbs: READ };

const clusterRole = (...rules: object[]) => object(RBAC, "ClusterRole", { rules });
const role = (...rules: object[]) => object(RBAC, "Role", { rules }, { name: "secret-reader" });

const bindingOf = (kind: string, subject: object, options: object = {}) =>
  object(
    RBAC,
    kind,
    { roleRef: { kind: "ClusterRole", name: "it" }, subjects: [subject] },
    { name: "binding", ...options },
  );
const account = (namespace: string, name: string) => ({ kind: "ServiceAccount", namespace, name });
const OPERATOR = account("zero-trust-workload-identity-manager", "spire-server");
const bound = (role: Resource, subject: object = OPERATOR) => [role, bindingOf("ClusterRoleBinding", subject)];
const allSecrets = { apiGroups: [""], resources: ["secrets"], verbs: READ };

const OF_EVERY_NAMESPACE =
  "rules[0].resources: grants access to Secrets of every namespace; use a Role in zero-trust-workload-identity-manager with " +
  "resourceNames [spire-server-federation-tls]";

testRule(secretsNotClusterWide, {
  passes: { "the procedure's Role": [role(theSecret)] },
  refuses: {
    "a ClusterRole that reads all Secrets": [
      bound(clusterRole({ apiGroups: [""], resources: ["configmaps", "secrets"], verbs: ["get"] })),
      OF_EVERY_NAMESPACE,
    ],
    "a ClusterRole for everything": [
      bound(clusterRole({ apiGroups: ["*"], resources: ["*"], verbs: ["*"] })),
      OF_EVERY_NAMESPACE,
    ],
    "a ClusterRole that names the Secret: any namespace may have one of that name": [
      bound(clusterRole(theSecret)),
      OF_EVERY_NAMESPACE,
    ],
    "a patch of a ClusterRole": [
      bound(object(RBAC, "ClusterRolePatch", { rules: [{ ...theSecret, resourceNames: undefined }] })),
      OF_EVERY_NAMESPACE,
    ],
    "one that is bound to the router": [
      bound(clusterRole(allSecrets), account("openshift-ingress", "router")),
      OF_EVERY_NAMESPACE,
    ],
    "one that is bound to all ServiceAccounts": [
      bound(clusterRole(allSecrets), { kind: "Group", name: "system:serviceaccounts" }),
      OF_EVERY_NAMESPACE,
    ],
    "one that is bound to the ServiceAccounts of the operator's namespace": [
      bound(clusterRole(allSecrets), {
        kind: "Group",
        name: "system:serviceaccounts:zero-trust-workload-identity-manager",
      }),
      OF_EVERY_NAMESPACE,
    ],
    "one that lets somebody else read the Secrets of the operator's namespace": [
      [clusterRole(allSecrets), bindingOf("RoleBinding", account("monitoring", "reader"))],
      OF_EVERY_NAMESPACE,
    ],
  },
  nearMisses: {
    "a ClusterRole for ConfigMaps": bound(clusterRole({ apiGroups: [""], resources: ["configmaps"], verbs: READ })),
    "secrets of another API": bound(
      clusterRole({ apiGroups: ["vault.example.com"], resources: ["secrets"], verbs: READ }),
    ),
    "a ClusterRole that is made of others": bound(object(RBAC, "ClusterRole", { aggregationRule: {}, rules: null })),
    "a custom resource of the same kind": bound(object("iam.example.com/v1", "ClusterRole", { rules: [theSecret] })),
    "another operator's, for its own ServiceAccount: cert-manager's": bound(
      clusterRole(allSecrets),
      account("cert-manager", "cert-manager"),
    ),
    "one that is bound to nobody": [clusterRole(allSecrets)],
    "one that is bound in another namespace": [
      clusterRole(allSecrets),
      bindingOf("RoleBinding", OPERATOR, { namespace: "elsewhere" }),
    ],
    "one that is bound in another cluster": [
      clusterRole(allSecrets),
      bindingOf("ClusterRoleBinding", OPERATOR, { cluster: "cluster2" }),
    ],
  },
});

testRule(roleNamesOneSecret, {
  passes: {
    "the procedure's Role": [role(theSecret)],
    "a Role with fewer verbs": [role({ ...theSecret, verbs: ["get"] })],
  },
  refuses: {
    "a Role without names": [
      [role({ ...theSecret, resourceNames: undefined })],
      "rules[0].resourceNames: is empty, which grants all Secrets of the namespace; name spire-server-federation-tls",
    ],
    "wildcards for resources and verbs": [
      [role({ apiGroups: ["*"], resources: ["*"], resourceNames: [SECRET], verbs: ["*"] })],
      'rules[0].resources: has "*", which includes Secrets; name the resources',
      "rules[0].verbs: grant *; the router needs get, list, watch and no more",
    ],
    "two Secrets": [
      [role({ ...theSecret, resourceNames: [SECRET, "letsencrypt-account-key"] })],
      "rules: name 2 Secrets (spire-server-federation-tls, letsencrypt-account-key); name spire-server-federation-tls alone",
    ],
    "two Secrets in two rules": [
      [role(theSecret, { ...theSecret, resourceNames: ["other"] })],
      "rules: name 2 Secrets (spire-server-federation-tls, other); name spire-server-federation-tls alone",
    ],
    "the right to change the Secret": [
      [role({ ...theSecret, verbs: ["get", "update"] })],
      "rules[0].verbs: grant update; the router needs get, list, watch and no more",
    ],
  },
  nearMisses: {
    "one Secret in two rules": [role({ ...theSecret, verbs: ["get"] }, { ...theSecret, verbs: ["list", "watch"] })],
    "everything of another API": [role({ apiGroups: ["route.openshift.io"], resources: ["*"], verbs: ["*"] })],
    "a Role of another namespace": [
      object(RBAC, "Role", { rules: [{ ...theSecret, resourceNames: undefined }] }, { namespace: "payments" }),
    ],
  },
});

const router = { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" };
const binding = (subjects: object[], name = "secret-reader", kind = "Role") =>
  object(RBAC, "RoleBinding", { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name }, subjects });
const named = (name: string) => object(RBAC, "Role", { rules: [theSecret] }, { name });

testRule(onlyTheRouterReads, {
  passes: {
    "the procedure's RoleBinding": [role(theSecret), binding([router])],
    "a Role of another name": [named("tls-for-router"), binding([router], "tls-for-router")],
  },
  refuses: {
    "a ServiceAccount beside the router's": [
      [binding([router, { kind: "ServiceAccount", name: "default", namespace: "payments" }])],
      "subjects[1]: lets ServiceAccount payments/default read the endpoint's private key; the only subject is ServiceAccount openshift-ingress/router",
    ],
    everybody: [
      [binding([{ kind: "Group", name: "system:authenticated" }])],
      "subjects[0]: lets Group system:authenticated read the endpoint's private key; the only subject is ServiceAccount openshift-ingress/router",
    ],
    "the router of another namespace": [
      [binding([{ ...router, namespace: "openshift-router" }])],
      "subjects[0]: lets ServiceAccount openshift-router/router read the endpoint's private key; the only subject is ServiceAccount openshift-ingress/router",
    ],
    "another subject of a Role with another name": [
      [named("tls"), binding([{ kind: "User", name: "alice" }], "tls")],
      "subjects[0]: lets User alice read the endpoint's private key; the only subject is ServiceAccount openshift-ingress/router",
    ],
  },
  nearMisses: {
    "another subject of a Role without Secrets": [
      object(RBAC, "Role", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: READ }] }, { name: "viewer" }),
      binding([{ kind: "User", name: "alice" }], "viewer"),
    ],
    "a ClusterRole of that name": [binding([{ kind: "User", name: "alice" }], "secret-reader", "ClusterRole")],
    "the same names in another cluster of the program": [
      named("tls"),
      object(
        RBAC,
        "RoleBinding",
        { roleRef: { kind: "Role", name: "tls" }, subjects: [{ kind: "User", name: "alice" }] },
        { cluster: "cluster2" },
      ),
    ],
  },
});
