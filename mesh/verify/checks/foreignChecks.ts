/** MESH301 to MESH303: what makes a cluster trust somebody whom no stack names; found as `spire-federation drift` finds it. Pure. */
import { TRUST_KIND } from "../../../components/bundle/bundleMark";
import { PROGRAM } from "../../../components/shared/names";
import { word } from "../../../components/shared/shell";
import type { Finding } from "../../kernel/finding";
import { leftInStore } from "../../trust/serverStore";
import { foreignTrust, foreignTrustDomains, listedPeers } from "../../trust/foreignTrust";
import { type Check, failed, type Judgement, ok, pending, see } from "../check";
import { fact, type MemberView } from "../subjects";

export const foreignChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH301",
    title: "every ClusterFederatedTrustDomain is a stack's",
    source: `${TRUST_KIND}s`,
    about:
      "An undeclared object makes the cluster trust a domain that nobody reviewed, or hides the stack's own object for the same trust " +
      "domain. An object of another class does nothing, although its author may think it does. Pending when the stack created it for a peer " +
      "that its file no longer names: the next up deletes it.",
    needs: ["MESH101"],
    judge: (view) => {
      const declared = see(view.declared);
      const objects = fact(view, "trust");
      const left = objects.flatMap(({ spec }) => spec?.trustDomain ?? []);
      return judged(view, foreignTrust(view, objects, declared), left, "none of others");
    },
  },
  {
    code: "MESH302",
    title: "federatesWith lists only peers of the stack",
    source: "SpireServer cluster",
    about:
      "An entry of federatesWith makes the SPIRE server trust a trust domain, and wins over any ClusterFederatedTrustDomain. What a " +
      "pair's own entry must be is judged by MESH204.",
    needs: ["MESH101"],
    judge: (view) => {
      const federation = fact(view, "server")?.spec?.federation;
      const findings = listedPeers(view, federation, see(view.declared), view.config.federatesWith);
      return judged(
        view,
        findings.filter(({ code }) => code === "federates-with-undeclared"),
        federation?.federatesWith?.map(({ trustDomain }) => trustDomain) ?? [],
        "none of others",
      );
    },
  },
  {
    code: "MESH303",
    title: "the SPIRE server trusts only peers of the stack",
    source: "the SPIRE server's store",
    about:
      "SPIRE keeps the bundle of a trust domain after its ClusterFederatedTrustDomain is gone, and workloads go on trusting it. Trust " +
      "domains that MESH301 or MESH302 reported are left out.",
    needs: ["MESH134"],
    judge: (view) => {
      const declared = see(view.declared);
      const federation = fact(view, "server")?.spec?.federation;
      const known = foreignTrustDomains(fact(view, "trust"), federation, declared);
      const store = fact(view, "store");
      // Trust domains that MESH301 or MESH302 calls pending are left out.
      const said = [
        ...fact(view, "trust").map(({ spec }) => spec?.trustDomain),
        ...(federation?.federatesWith ?? []).map(({ trustDomain }) => trustDomain),
      ];
      const left = [...store.relationships, ...store.bundles.map(({ trustDomain }) => trustDomain)];
      return judged(
        view,
        // Whether the bundle of each peer is held is judged for each pair.
        leftInStore(view, store, declared, known).filter(({ code }) => code !== "bundle-missing"),
        left.filter((trustDomain) => !said.includes(trustDomain)),
        "no bundle of others",
      );
    },
  },
];

/** @param there trust domains that the cluster has */
function judged(view: MemberView, findings: readonly Finding[], there: readonly string[], evidence: string): Judgement {
  if (findings.length === 0) {
    const leaving = [...see(view.declared).leaving].filter(([trustDomain]) => there.includes(trustDomain));
    if (leaving.length === 0) return ok(evidence);
    const whom = leaving.map(([trustDomain, stack]) => `${stack} (${trustDomain})`).join(", ");
    return pending(
      `the stack has ${whom} since its last up, and its file no longer asks for it`,
      `npx ${PROGRAM} up ${word(view.member)}, or npx ${PROGRAM} remove, where it leaves the mesh`,
    );
  }
  return failed(
    findings.map(({ object, found }) => `${object}: ${found}`).join("\n"),
    findings.map(({ cure }) => cure).join("\n"),
  );
}
