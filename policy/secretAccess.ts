/** Who may read Secrets: the router, and the endpoint's alone. */
import { CERTIFICATE_SECRET, OPERAND_NAMESPACE, ROUTER, SECRET_READER } from "../components/shared/names";
import { type Problem, problem } from "../components/shared/problem";
import { byCluster, isKind, nameOf, namespaceOf } from "./kubernetes";
import { known, type Resource, type Rule, type Violation } from "./rule";

const RBAC = "rbac.authorization.k8s.io";
const READING: readonly string[] = ["get", "list", "watch"];

interface AccessRule {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  verbs?: string[];
}

interface Subject {
  kind?: string;
  name?: string;
  namespace?: string;
}

interface Binding {
  roleRef?: { kind?: string; name?: string };
  subjects?: Subject[];
}

const accessRules = ({ props }: Resource): AccessRule[] => (props as { rules?: AccessRule[] | null }).rules ?? [];

const coversSecrets = ({ apiGroups = [], resources = [] }: AccessRule): boolean =>
  apiGroups.some((group) => group === "" || group === "*") &&
  resources.some((one) => one === "secrets" || one === "*" || one === "*/*");

const isServiceAccountOf = (namespace: string, { kind, namespace: at, name = "" }: Subject): boolean =>
  kind === "ServiceAccount" ? at === namespace : kind === "Group" && name === `system:serviceaccounts:${namespace}`;

/** Groups that everybody's ServiceAccounts are in. */
const EVERYBODY: readonly string[] = ["system:serviceaccounts", "system:authenticated", "system:unauthenticated"];

/** Only these subjects of a ClusterRoleBinding count, because other people's operators may need Secrets. */
const isOfFederation = (subject: Subject): boolean =>
  isServiceAccountOf(OPERAND_NAMESPACE, subject) ||
  isServiceAccountOf(ROUTER.namespace, subject) ||
  (subject.kind === "Group" && EVERYBODY.includes(subject.name ?? ""));

/** Whether a binding lets a ClusterRole reach the federation: its Secrets by a RoleBinding, its subjects by a ClusterRoleBinding. */
function reachesFederation(resource: Resource): boolean {
  if (isBinding(resource)) return true;
  const { subjects } = resource.props as Binding;
  return isKind(resource, RBAC, "ClusterRoleBinding") && (subjects ?? []).some(isOfFederation);
}

export const secretsNotClusterWide: Rule = {
  name: "secrets-not-cluster-wide",
  description: `No ClusterRole with access to Secrets is bound in ${OPERAND_NAMESPACE}, or to its ServiceAccounts or the router's.`,
  checkStack: (resources) =>
    byCluster(resources).flatMap((cluster) => {
      const bound = new Set(
        cluster.flatMap((one) => known(() => (reachesFederation(one) ? clusterRoleOf(one) : undefined)) ?? []),
      );
      return cluster.flatMap((resource) =>
        isKind(resource, RBAC, "ClusterRole") && bound.has(nameOf(resource))
          ? (known(() => checkClusterRole(resource)) ?? []).map((found) => ({ ...found, resource }))
          : [],
      );
    }),
};

function clusterRoleOf({ props }: Resource): string | undefined {
  const { kind, name } = (props as Binding).roleRef ?? {};
  return kind === "ClusterRole" ? name : undefined;
}

const checkClusterRole = (resource: Resource): Problem[] =>
  accessRules(resource).flatMap((rule, at) =>
    coversSecrets(rule)
      ? problem(
          `rules[${at}].resources`,
          `grants access to Secrets of every namespace; use a Role in ${OPERAND_NAMESPACE} with resourceNames ` +
            `[${CERTIFICATE_SECRET}]`,
        )
      : [],
  );

const isRole = (resource: Resource): boolean =>
  isKind(resource, RBAC, "Role") && namespaceOf(resource) === OPERAND_NAMESPACE;

export const roleNamesOneSecret: Rule = {
  name: "role-names-one-secret",
  description: `A Role in ${OPERAND_NAMESPACE} grants reading of one named Secret at most.`,
  checkResource: (resource) => (isRole(resource) ? checkRole(accessRules(resource)) : []),
};

function checkRole(rules: readonly AccessRule[]): Problem[] {
  const names = new Set(rules.flatMap((rule) => (coversSecrets(rule) ? (rule.resourceNames ?? []) : [])));
  const several =
    names.size > 1
      ? problem("rules", `name ${names.size} Secrets (${[...names].join(", ")}); name ${CERTIFICATE_SECRET} alone`)
      : [];
  return [
    ...rules.flatMap((rule, at) => (coversSecrets(rule) ? checkSecretRule(rule, `rules[${at}]`) : [])),
    ...several,
  ];
}

function checkSecretRule({ resources = [], resourceNames = [], verbs = [] }: AccessRule, path: string): Problem[] {
  const wide = resources.filter((one) => one.startsWith("*"));
  const beyond = verbs.filter((verb) => !READING.includes(verb));
  return [
    ...wide.flatMap((one) => problem(`${path}.resources`, `has "${one}", which includes Secrets; name the resources`)),
    ...(resourceNames.length === 0
      ? problem(
          `${path}.resourceNames`,
          `is empty, which grants all Secrets of the namespace; name ${CERTIFICATE_SECRET}`,
        )
      : []),
    ...(beyond.length > 0
      ? problem(`${path}.verbs`, `grant ${beyond.join(", ")}; the router needs ${READING.join(", ")} and no more`)
      : []),
  ];
}

export const onlyTheRouterReads: Rule = {
  name: "only-the-router-reads",
  description: "The only subject that is bound to the Role for the endpoint's Secret is the router's ServiceAccount.",
  checkResource: (resource) =>
    isBinding(resource) && isToRole(resource, [SECRET_READER.role]) ? checkSubjects(resource) : [],
  // The Role may have another name than the procedure's.
  checkStack: (resources) =>
    byCluster(resources).flatMap((cluster) => {
      const readers = cluster
        .filter((one) => known(() => isRole(one) && grantsCertificate(one)) === true)
        .map(nameOf)
        .filter((name) => name !== SECRET_READER.role);
      return cluster.flatMap((resource): Violation[] =>
        known(() => isBinding(resource) && isToRole(resource, readers)) === true
          ? (known(() => checkSubjects(resource)) ?? []).map((found) => ({ ...found, resource }))
          : [],
      );
    }),
};

const isBinding = (resource: Resource): boolean =>
  isKind(resource, RBAC, "RoleBinding") && namespaceOf(resource) === OPERAND_NAMESPACE;

function isToRole({ props }: Resource, names: readonly string[]): boolean {
  const { kind, name } = (props as Binding).roleRef ?? {};
  return kind === "Role" && name !== undefined && names.includes(name);
}

const grantsCertificate = (role: Resource): boolean =>
  accessRules(role).some((rule) => coversSecrets(rule) && rule.resourceNames?.includes(CERTIFICATE_SECRET) === true);

function checkSubjects({ props }: Resource): Problem[] {
  return ((props as Binding).subjects ?? []).flatMap((subject, at) =>
    subject.kind === "ServiceAccount" &&
    subject.name === ROUTER.serviceAccount &&
    subject.namespace === ROUTER.namespace
      ? []
      : problem(
          `subjects[${at}]`,
          `lets ${describeSubject(subject)} read the endpoint's private key; the only subject is ServiceAccount ` +
            `${ROUTER.namespace}/${ROUTER.serviceAccount}`,
        ),
  );
}

const describeSubject = ({ kind = "", name = "", namespace }: Subject): string =>
  `${kind} ${namespace ? `${namespace}/` : ""}${name}`.trim();
