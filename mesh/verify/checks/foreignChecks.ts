/** MESH301 to MESH303: what makes a cluster trust somebody whom no stack names; found as `spire-federation drift` finds it. Pure. */
import { TRUST_KIND } from "../../../components/bundle/bundleMark";
import type { Finding } from "../../kernel/finding";
import { leftInStore } from "../../trust/serverStore";
import { foreignTrust, foreignTrustDomains, listedPeers } from "../../trust/foreignTrust";
import { type Check, failed, type Judgement, ok, see } from "../check";
import { fact, type MemberView } from "../subjects";

export const foreignChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH301",
    title: "every ClusterFederatedTrustDomain is a stack's",
    source: `${TRUST_KIND}s`,
    about:
      "By one that no stack declares the cluster trusts somebody whom nobody has reviewed, or it hides the stack's own for the same trust " +
      "domain. One of another class has no effect, and somebody who believes that it has.",
    needs: ["MESH101"],
    judge: (view) => judged(foreignTrust(view, fact(view, "trust"), see(view.declared)), "none of others"),
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
        findings.filter(({ code }) => code === "federates-with-undeclared"),
        "none of others",
      );
    },
  },
  {
    code: "MESH303",
    title: "the SPIRE server trusts only peers of the stack",
    source: "the SPIRE server's store",
    about:
      "SPIRE keeps the bundle of a trust domain after its ClusterFederatedTrustDomain is gone, and workloads go on trusting it. Whom " +
      "MESH301 and MESH302 name is not said again.",
    needs: ["MESH134"],
    judge: (view) => {
      const declared = see(view.declared);
      const federation = fact(view, "server")?.spec?.federation;
      const known = foreignTrustDomains(fact(view, "trust"), federation, declared);
      return judged(leftInStore(view, fact(view, "store"), declared, known), "no bundle of others");
    },
  },
];

function judged(findings: readonly Finding[], evidence: string): Judgement {
  if (findings.length === 0) return ok(evidence);
  return failed(
    findings.map(({ object, found }) => `${object}: ${found}`).join("\n"),
    findings.map(({ cure }) => cure).join("\n"),
  );
}
