/** MESH111 to MESH123: the endpoint's certificate, its issuer, and the router's access to it. Pure. */
import { word } from "../../../components/shared/shell";
import { contains } from "../../../components/cluster/correction";
import { isTrueNow, notTrue } from "../../../components/cluster/conditions";
import { type Issuer, planIssuer } from "../../../components/certificates/issuer";
import { ROUTER, SECRET_READER } from "../../../components/shared/names";
import { SECRET_READERS, secretReaderRules } from "../../../components/routerSecretAccess";
import { objectDifferences } from "../../kernel/difference";
import { shown } from "../../kernel/redact";
import { ROUTERS_VERBS } from "../apiServer";
import { judgeLife } from "../endpointTls";
import { type Check, failed, type Judgement, ok, skipped } from "../check";
import { certManagerIssuer } from "../../../stacks/endpoint";
import { hostOf, noCertManager } from "./clusterChecks";
import { dated, span } from "../../kernel/times";
import { fact, type MemberView, ocHere, renewCommand, upAgain } from "../subjects";

/** cert-manager renews within minutes once it is due. */
const OVERDUE_MS = 3600_000;

/** Only where the endpoint has a certificate of cert-manager. */
const web =
  (judge: (view: MemberView, issuer: Issuer) => Judgement) =>
  (view: MemberView): Judgement => {
    const issuer = certManagerIssuer(view.config);
    return issuer === undefined ? skipped(noCertManager(view.config)) : judge(view, issuer);
  };

const gone = (view: MemberView, what: string): Judgement => failed(`${what} is not there`, upAgain(view));

export const certificateChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH111",
    title: "the issuer is ready, and the stack's",
    source: "the Issuer",
    about:
      "Who signs the endpoint's certificate can do so, and is who the stack names. A broken issuer shows nowhere else until the " +
      "renewal, weeks later; another one gives the next certificate a CA that the peers don't know.",
    verifications: [1],
    needs: ["MESH101"],
    judge: web((view, asksOf) => {
      const { objects, reference } = planIssuer(asksOf, hostOf(view));
      const label = `${reference.kind} ${reference.name}`;
      const issuer = fact(view, "issuer");
      if (issuer === undefined) return gone(view, label);
      if (!isTrueNow(issuer, "Ready")) {
        const describe = ocHere(view, `describe ${reference.kind.toLowerCase()} ${word(reference.name)}`);
        return failed(`${label}: ${notTrue(issuer)}`, `put right what it says (${describe}), then ${upAgain(view)}`);
      }
      const asked = objects.find(({ name }) => name === reference.name)?.spec;
      if (asked !== undefined && !contains(issuer.spec, asked)) {
        // The spec of a foreign issuer may have a password of a DNS provider in it.
        const differ = objectDifferences(asked, issuer.spec).map(
          ({ path, found, expected }) => `${path} is ${shown(path, found)}, the stack has ${shown(path, expected)}`,
        );
        return failed(`${label} is not as the stack has it: ${differ.join("; ")}`, upAgain(view));
      }
      return ok(label);
    }),
  },
  {
    code: "MESH112",
    title: "the Certificate is for the endpoint's host, by that issuer",
    source: "the Certificate",
    about:
      "cert-manager is asked for a certificate of the Route's host and no other. Peers refuse one for another host.",
    verifications: [1],
    needs: ["MESH101"],
    judge: web((view, issuer) => {
      const certificate = fact(view, "certificate");
      const label = `Certificate ${view.config.names.certificate}`;
      if (certificate === undefined) return gone(view, label);
      const { dnsNames = [], issuerRef } = certificate.spec ?? {};
      const host = hostOf(view);
      const { kind, name } = planIssuer(issuer, host).reference;
      if (dnsNames.length !== 1 || dnsNames[0] !== host) {
        return failed(`it is for ${dnsNames.join(", ") || "nobody"}, the endpoint is ${host}`, upAgain(view));
      }
      if (issuerRef?.name !== name || (issuerRef.kind ?? "Issuer") !== kind) {
        return failed(
          `it is by ${issuerRef?.kind ?? "Issuer"} ${issuerRef?.name ?? ""}, not ${kind} ${name}`,
          upAgain(view),
        );
      }
      return ok(`${host}, by ${kind} ${name}`);
    }),
  },
  {
    code: "MESH113",
    title: "the certificate is issued",
    source: "conditions of the Certificate",
    about: "cert-manager says that the secret has a certificate that is as the Certificate asks.",
    verifications: [1],
    needs: ["MESH112"],
    judge: web((view) => {
      const certificate = fact(view, "certificate");
      if (isTrueNow(certificate, "Ready")) return ok("Ready=True");
      return failed(notTrue(certificate), `put right what it says, then ${renewCommand(view)}`);
    }),
  },
  {
    code: "MESH114",
    title: "the certificate is valid now, and its renewal is not overdue",
    source: "status of the Certificate",
    about:
      "From when to when the certificate that cert-manager has issued is valid, and when it will be renewed. A renewal that is an " +
      "hour late says that cert-manager doesn't work, while there is still time.",
    verifications: [2],
    needs: ["MESH113"],
    judge: web((view) => {
      const { notBefore, notAfter, renewalTime } = fact(view, "certificate")?.status ?? {};
      if (notBefore === undefined || notAfter === undefined) {
        return failed(
          "the Certificate doesn't say its dates",
          ocHere(view, `describe certificate ${word(view.config.names.certificate)}`),
        );
      }
      return judgeRenewal(view, new Date(notBefore), new Date(notAfter), renewalTime && new Date(renewalTime));
    }),
  },
  {
    code: "MESH121",
    title: "the Role grants the endpoint's secret and nothing else",
    source: `Role ${SECRET_READER.role}`,
    about:
      "The router may get, list and watch the one secret with the endpoint's certificate. With less the Route is refused or a renewed " +
      "certificate is not served; with more the router reads secrets that are none of its business.",
    verifications: [3],
    needs: ["MESH101"],
    judge: web((view) => {
      const role = fact(view, "role");
      const { names } = view.config;
      if (role === undefined) return gone(view, `Role ${names.role}`);
      if (contains(role.rules, secretReaderRules(names.secret))) return ok(`secret ${names.secret} alone`);
      return failed(`its rules are ${JSON.stringify(role.rules ?? [])}`, upAgain(view));
    }),
  },
  {
    code: "MESH122",
    title: "the RoleBinding is for the router and nobody else",
    source: `RoleBinding ${SECRET_READER.binding}`,
    about:
      "The Role is given to ServiceAccount router in openshift-ingress. Anybody else could read the endpoint's private key.",
    verifications: [3],
    needs: ["MESH101"],
    judge: web((view) => {
      const binding = fact(view, "binding");
      const { names } = view.config;
      if (binding === undefined) return gone(view, `RoleBinding ${names.roleBinding}`);
      const { kind, name } = binding.roleRef ?? {};
      if (kind === "Role" && name === names.role && contains(binding.subjects, SECRET_READERS)) {
        return ok(`ServiceAccount ${ROUTER.namespace}/${ROUTER.serviceAccount}`);
      }
      const subjects = JSON.stringify(binding.subjects ?? []);
      return failed(`it gives ${kind ?? "nothing"} ${name ?? ""} to ${subjects}`, upAgain(view));
    }),
  },
  {
    code: "MESH123",
    title: "the API server lets the router read the secret",
    source: "LocalSubjectAccessReview",
    about:
      "The API server is asked as it would be by the router. This is what counts in the end, whatever Roles there are: the Route is " +
      "admitted only with it.",
    verifications: [3],
    needs: ["MESH121", "MESH122"],
    judge: web((view) => {
      const verbs = fact(view, "routersVerbs");
      const { secret } = view.config.names;
      const missing = ROUTERS_VERBS.filter((verb) => !verbs.includes(verb));
      if (missing.length === 0) return ok(`the router may ${ROUTERS_VERBS.join(", ")} secret ${secret}`);
      return failed(`the router may not ${missing.join(", ")} secret ${secret}`, upAgain(view));
    }),
  },
];

function judgeRenewal(view: MemberView, from: Date, to: Date, renewal: Date | "" | undefined): Judgement {
  const renew = `see that cert-manager runs, then ${renewCommand(view)}`;
  const life = judgeLife(from, to, view.now, renew);
  if (life.state !== "ok" || !renewal) return life;
  const late = view.now.getTime() - renewal.getTime();
  if (late > OVERDUE_MS) return failed(`${life.evidence}; its renewal was due ${span(late)} ago`, renew);
  return ok(`${life.evidence}, renewal due ${dated(renewal)}`);
}
