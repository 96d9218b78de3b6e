import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccessArgs } from "./cluster/access";
import { checkName } from "./shared/arguments";
import { checked } from "./shared/checked";
import type { ClusterReader, KubeObject } from "./cluster/cluster";
import { ownedAnnotations, ownedMetadata } from "./cluster/correction";
import {
  CERTIFICATE_SECRET,
  OPERAND_NAMESPACE,
  OPERATOR_API,
  RBAC_API,
  ROUTER,
  SECRET_READER,
  SINGLETON,
} from "./shared/names";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import type { Problem } from "./shared/problem";
import { gate, readyOnce } from "./shared/gate";
import { onceApplied } from "./shared/savedPlan";
import { orStop } from "./shared/stopProgram";
import type { FederatedServer } from "./spireServer/foreignFederation";

/** How the secret and the access to it are called. */
export interface RouterAccessNames {
  /**
   * Name of the one `kubernetes.io/tls` secret that the router may read, in namespace
   * zero-trust-workload-identity-manager. Default `spire-server-federation-tls`.
   */
  secretName?: pulumi.Input<string>;
  /** Name of the Role. Default `secret-reader`. */
  roleName?: pulumi.Input<string>;
  /** Name of the RoleBinding. Default `secret-reader-binding`. */
  roleBindingName?: pulumi.Input<string>;
}

export interface RouterSecretAccessArgs extends RouterAccessNames, ClusterAccessArgs {}

/** Names that are none. */
export function checkRouterAccess({ secretName, roleName, roleBindingName }: RouterAccessNames): Problem[] {
  return Object.entries({ secretName, roleName, roleBindingName }).flatMap(([property, value]) =>
    value === undefined ? [] : checkName(property, value),
  );
}

/** All that the Role grants. get, list and watch all carry resourceNames: the router watches one item by name. */
export function secretReaderRules(...secretNames: string[]) {
  return [{ apiGroups: [""], resources: ["secrets"], resourceNames: secretNames, verbs: ["get", "list", "watch"] }];
}

interface LiveRole extends KubeObject {
  rules?: { resourceNames?: string[] }[];
}

/**
 * The secrets that the router may read after this up. When the endpoint gets another one, the Route has the old one until the
 * SpireServer is changed, so that stays for one up. What the Role does not grant is never added.
 */
async function readable(cluster: ClusterReader, role: string, secretName: string): Promise<string[]> {
  const [server, live] = await Promise.all([
    cluster.get<FederatedServer>(OPERATOR_API, "SpireServer", SINGLETON),
    cluster.get<LiveRole>(RBAC_API, "Role", role, OPERAND_NAMESPACE),
  ]);
  const served = server?.spec?.federation?.bundleEndpoint?.httpsWeb?.servingCert?.externalSecretRef ?? secretName;
  const granted = live?.rules?.some(({ resourceNames }) => resourceNames?.includes(served)) === true;
  return served === secretName || !granted ? [secretName] : [secretName, served];
}

/** The only subject: the router's ServiceAccount. */
export const SECRET_READERS = [{ kind: "ServiceAccount", name: ROUTER.serviceAccount, namespace: ROUTER.namespace }];

const ROLE = { apiGroup: "rbac.authorization.k8s.io", kind: "Role" };

/** The RoleBinding, as it is asked for. */
export const routerBinding = (roleName: string, name: string) => ({
  ...{ apiVersion: RBAC_API, kind: "RoleBinding", metadata: { name, namespace: OPERAND_NAMESPACE } },
  roleRef: { ...ROLE, name: roleName },
  subjects: SECRET_READERS,
});

/**
 * Lets the OpenShift router read one TLS secret, and nothing else: a Role and a RoleBinding. For the one up that changes the
 * secret the Role also has the old one, which the Route still serves.
 *
 * The API server checks this access when a Route with `externalCertificate` is created, and the router needs it to read a
 * renewed certificate. So give this component in `dependsOn` to SpireFederationServer, whose operator creates the Route:
 * a Route that is refused makes the operator back off for up to 16 minutes.
 *
 * ZTWIM 1.1 also creates the Role `spire-server-external-cert-reader`, which allows to list and watch all secrets of the
 * namespace. The two do not disturb each other.
 *
 * Source: step 10 of "Using SPIRE federation with manual certificate management" of the OpenShift documentation.
 *
 * @throws ResourceError when a name is not a Kubernetes name
 *
 * @example
 * const access = new RouterSecretAccess("router-access", { context: "cluster1" }, { provider });
 */
export class RouterSecretAccess extends pulumi.ComponentResource {
  /** Name of the Role that names the secret. */
  readonly roleName: pulumi.Output<string>;

  constructor(name: string, args: RouterSecretAccessArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:RouterSecretAccess", name, {}, withProvider(`${name}-cluster`, args, opts));
    const known = checked(name, args, checkRouterAccess, this);
    const cluster = clusterFor(name, args, this);

    const namespace = OPERAND_NAMESPACE;
    const type = { apiVersion: RBAC_API, kind: "Role" };
    const metadata = known.apply(({ roleName = SECRET_READER.role }) => ({ name: roleName, namespace }));
    const rules = known
      .apply(({ secretName = CERTIFICATE_SECRET, roleName = SECRET_READER.role }) =>
        orStop(readable(cluster, roleName, secretName), this),
      )
      .apply((secrets) => secretReaderRules(...secrets));
    const wantedRole = pulumi
      .all([metadata, rules])
      .apply(([named, asked]) => ({ ...type, metadata: named, rules: asked }));
    const role = new k8s.rbac.v1.Role(
      `${name}-role`,
      {
        metadata: { name: metadata.name, namespace, annotations: ownedAnnotations(cluster, wantedRole, this) },
        rules,
      },
      { parent: this },
    );

    const wantedBinding = known.apply(({ roleName = SECRET_READER.role, roleBindingName = SECRET_READER.binding }) =>
      routerBinding(roleName, roleBindingName),
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata: ownedMetadata(cluster, wantedBinding, this),
        roleRef: { ...ROLE, name: role.metadata.name },
        subjects: SECRET_READERS,
      },
      { parent: this },
    );

    this.roleName = role.metadata.name;
    readyOnce(this, onceApplied(role), onceApplied(binding));
    this.registerOutputs({ roleName: this.roleName });
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }
}
