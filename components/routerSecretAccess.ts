import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { OPERAND_NAMESPACE, OWNED, ROUTER, SECRET_READER } from "./names";

export interface RouterSecretAccessArgs {
  /** Name of the one `kubernetes.io/tls` secret that the router may read, in the operand namespace as its Route is. */
  secretName: pulumi.Input<string>;
}

/** All that the Role grants. get, list and watch all carry resourceNames: the router watches one item by name. */
export function secretReaderRules<T>(secretName: T) {
  return [{ apiGroups: [""], resources: ["secrets"], resourceNames: [secretName], verbs: ["get", "list", "watch"] }];
}

/** To whom, and to nobody else. */
export const SECRET_READERS = [{ kind: "ServiceAccount", name: ROUTER.serviceAccount, namespace: ROUTER.namespace }];

/**
 * Lets the OpenShift router read one TLS secret, and nothing else (step 10 of the procedure).
 *
 * The API server checks this access when a Route with `externalCertificate` is admitted, and the router needs it to
 * follow a renewed certificate. So the SpireServer, whose operator makes the Route, depends on this; the other way
 * round the Route is refused and the operator backs off for up to 16 minutes.
 *
 * The names are the procedure's. Later operators make a Role of their own, `spire-server-external-cert-reader`, with a
 * wider list and watch; the two get along.
 *
 * @example
 * const access = new RouterSecretAccess("federation-router", { secretName: "spire-server-federation-tls" }, { provider });
 */
export class RouterSecretAccess extends pulumi.ComponentResource {
  /** Name of the Role that names the secret. */
  readonly roleName: pulumi.Output<string>;

  constructor(name: string, args: RouterSecretAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:RouterSecretAccess", name, {}, opts);

    const role = new k8s.rbac.v1.Role(
      `${name}-role`,
      {
        metadata: { name: SECRET_READER.role, namespace: OPERAND_NAMESPACE, annotations: OWNED },
        rules: secretReaderRules(args.secretName),
      },
      { parent: this },
    );

    new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata: { name: SECRET_READER.binding, namespace: OPERAND_NAMESPACE, annotations: OWNED },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: SECRET_READERS,
      },
      { parent: this },
    );

    this.roleName = role.metadata.name;
    this.registerOutputs({ roleName: this.roleName });
  }
}
