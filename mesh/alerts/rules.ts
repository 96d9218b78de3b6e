/**
 * Rules for Prometheus over SPIRE's own metrics, made from one member's peers and lifetimes. Pure.
 *
 * Sources: SPIRE 1.14 writes label values with each run of other than word characters as `_`; a counter appears with its
 * first event and never goes; no metric tells how old a bundle is, so a poll that does not come is what is alerted on.
 */
import { OPERAND_NAMESPACE, PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { activationLead } from "../../components/spireServer/keyTimes";
import { UsageError } from "../kernel/exit";

export interface Alerted {
  member: string;
  /** For how long a CA of its SPIRE server is valid, in seconds. */
  caValidity: number;
  peers: AlertedPeer[];
}

export interface AlertedPeer {
  name: string;
  trustDomain: string;
  /** Refresh hint of its bundle, in seconds. */
  refreshHint: number;
}

export interface Rule {
  alert: string;
  expr: string;
  for: string;
  /** With whose it is: Alertmanager takes two alerts with the same labels for one. */
  labels: { severity: "warning" | "critical"; member: string; peer?: string };
  annotations: { summary: string; check: string; command: string };
}

/** How SPIRE writes a trust domain in a label. */
export const labelOf = (trustDomain: string): string => trustDomain.replace(/\W+_?/g, "_");

/** @throws UsageError where SPIRE's metrics do not tell two peers apart: an alert would be of either */
export function rulesOf({ member, caValidity, peers }: Alerted): Rule[] {
  const collisions = peers.flatMap((one, index) =>
    peers
      .slice(index + 1)
      .filter((other) => labelOf(other.trustDomain) === labelOf(one.trustDomain))
      .map((other) => `${one.trustDomain} (${one.name}) and ${other.trustDomain} (${other.name})`),
  );
  if (collisions.length > 0) {
    throw new UsageError(
      `${member}: SPIRE's metrics call ${collisions.join(", ")} by one name, so an alert could be of either; watch them with ` +
        `npx ${PROGRAM} verify -o prometheus`,
    );
  }
  return [...peers.flatMap((peer) => peerRules(member, peer)), ...ownRules(member, caValidity)];
}

const series = (name: string, labels = ""): string =>
  `spire_server_${name}{namespace="${OPERAND_NAMESPACE}"${labels === "" ? "" : `,${labels}`}}`;

function peerRules(member: string, { name, trustDomain, refreshHint }: AlertedPeer): Rule[] {
  const polls = (status: string): string =>
    series("bundle_manager_fetch_federated_bundle", `trust_domain_id="${labelOf(trustDomain)}",status${status}`);
  const window = `${String(Math.max(900, 3 * refreshHint))}s`;
  const more = (status: string): string => `sum(increase(${polls(status)}[${window}]))`;
  const command = `npx ${PROGRAM} verify ${word(member)} --peer ${word(name)}`;
  const annotations = (summary: string): Rule["annotations"] => ({ summary, check: "MESH213", command });
  return [
    {
      alert: "SpireFederationPeerFailing",
      expr: `${more('!="OK"')} > 0 unless ${more('="OK"')} > 0`,
      for: "0s",
      labels: { severity: "warning", member, peer: name },
      annotations: annotations(
        `The SPIRE server of ${member} cannot fetch the bundle of ${name} (${trustDomain}); trust ends when the keys that it holds do`,
      ),
    },
    {
      alert: "SpireFederationPeerSilent",
      expr: `absent(${polls('="OK"')}) or ${more('="OK"')} == 0`,
      for: window,
      labels: { severity: "critical", member, peer: name },
      annotations: annotations(
        `The SPIRE server of ${member} has not fetched the bundle of ${name} (${trustDomain}) for two windows of ${window}; it fails, hangs or has lost the relationship`,
      ),
    },
  ];
}

function ownRules(member: string, caValidity: number): Rule[] {
  // By then SPIRE signs with the next one; a quarter of that time is its delay.
  const late = Math.round(0.75 * activationLead(caValidity));
  const command = `npx ${PROGRAM} verify ${word(member)}`;
  const rule = (
    alert: string,
    expr: string,
    severity: "warning" | "critical",
    check: string,
    summary: string,
  ): Rule => ({
    alert,
    expr,
    for: "5m",
    labels: { severity, member },
    annotations: { summary, check, command },
  });
  const failing = (name: string, over: string): string => `sum(increase(${series(name, 'status!="OK"')}[${over}])) > 0`;
  return [
    rule(
      "SpireCaOverdue",
      `${series("manager_x509_ca_rotate_expiration")} - time() < ${String(late)}`,
      "critical",
      "MESH134",
      `The SPIRE server of ${member} signs with a CA that it should have replaced; all trust in ${member} ends with it`,
    ),
    rule(
      "SpireCaPreparationFails",
      failing("ca_manager_x509_ca_prepare", "1h"),
      "warning",
      "MESH134",
      `The SPIRE server of ${member} cannot prepare its next CA`,
    ),
    rule(
      "SpireBundleNotStored",
      failing("datastore_bundle_set", "15m"),
      "warning",
      "MESH211",
      `The SPIRE server of ${member} cannot store what it fetches of its peers`,
    ),
  ];
}
