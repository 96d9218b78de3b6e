/** MESH107, MESH108 and MESH124: which release of ZTWIM the cluster has, and what is known of it. Pure. */
import { parse } from "yaml";
import { CONTROLLER_MANAGER, OPERAND_NAMESPACE, OPERATORS_READER } from "../../../components/shared/names";
import { describeRelease } from "../../../components/spireServer/ztwimRelease";
import { type Check, note, NotSeen, ok, warn } from "../check";
import type { RoleObject } from "../memberFacts";
import { fact, type MemberView, ocHere } from "../subjects";

export const releaseChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH107",
    title: "the release of ZTWIM is known",
    source: "what OLM has installed, else the operator's Deployment, else the operands",
    about:
      "The version is for people: whether a feature can be used is asked of the CRD. During an upgrade it is the version before, until " +
      "the new one has succeeded.",
    needs: ["MESH101"],
    judge: (view) => {
      const release = fact(view, "release");
      const { from, upstreamAuthority } = release;
      const described = describeRelease(release);
      if (described === "unknown") throw new NotSeen("neither its version nor its CRDs could be read");
      return ok(
        [
          described,
          ...(from === undefined ? [] : [FROM[from]]),
          ...(upstreamAuthority === true ? [UPSTREAM] : []),
        ].join(", "),
      );
    },
  },
  {
    code: "MESH108",
    title: "the SPIRE controller manager pauses between its rounds",
    source: `ConfigMap ${CONTROLLER_MANAGER}`,
    about:
      "ZTWIM 1.0.0 to 1.1.0 configure it with gcInterval 0 (OCPBUGS-90556): it compares everything again and again without a pause, and " +
      "keeps a core busy. What it does is right all the same, so this is a warning. ZTWIM 1.1.1 has 10 seconds there.",
    needs: ["MESH101"],
    judge: (view) => {
      const conf = fact(view, "controllerManagerConf");
      if (conf === undefined)
        throw new NotSeen(`ConfigMap ${CONTROLLER_MANAGER} has no controller-manager-config.yaml`);
      const { gcInterval } = (parse(conf) ?? {}) as { gcInterval?: unknown };
      if (gcInterval !== 0) return ok(gcInterval === undefined ? "gcInterval is not set" : "gcInterval is not 0");
      return warn(
        "gcInterval is 0: the controller manager never pauses and keeps a core busy (OCPBUGS-90556)",
        `update ZTWIM to 1.1.1 or later: ${ocHere(view, "get subscriptions.operators.coreos.com,clusterserviceversions.operators.coreos.com")}`,
      );
    },
  },
];

const FROM = {
  csv: "installed by OLM",
  deployment: "by the operator's Deployment",
  statefulset: "by the SPIRE server's StatefulSet",
} as const;

const UPSTREAM = "takes spec.upstreamAuthority";

export const grantChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH124",
    title: "the router may read no other secret of the namespace",
    source: `Role ${OPERATORS_READER}`,
    about:
      "ZTWIM 1.1 makes a Role and a RoleBinding of its own for the router, as soon as the SpireServer names a certificate secret: they " +
      "let the router get that one secret, and list and watch all secrets of the namespace. Who may list secrets reads them: " +
      "whoever controls a router can read every secret in the namespace of ZTWIM. The grant is the product's and cannot be taken away, " +
      "since its operator restores it; so this is a note.",
    needs: ["MESH101"],
    judge: (view) => {
      const role = fact(view, "operatorsRole");
      const verbs = wideVerbs(role);
      if (role === undefined) return ok(`there is no Role ${OPERATORS_READER}`);
      if (verbs.length === 0) return ok(`it grants secret ${view.config.names.secret} alone`);
      return note(
        `the router may ${verbs.join(" and ")} all secrets of ${OPERAND_NAMESPACE}, and so read each of them; ZTWIM 1.1 grants it and restores it`,
        `keep no secret in this namespace that the router must not read: ${ocHere(view, "get secrets")}`,
      );
    },
  },
];

/** Verbs that the Role grants on every secret. */
function wideVerbs(role: RoleObject | undefined): string[] {
  type Rule = { resources?: string[]; resourceNames?: string[]; verbs?: string[] };
  const rules = (role?.rules ?? []) as Rule[];
  const wide = rules.filter(
    ({ resources = [], resourceNames = [] }) =>
      resourceNames.length === 0 && resources.some((one) => one === "secrets" || one === "*"),
  );
  return [...new Set(wide.flatMap(({ verbs = [] }) => verbs))];
}
