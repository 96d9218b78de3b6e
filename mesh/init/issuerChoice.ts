/** How a person says where the endpoints' certificates come from. Pure. */
import { ISSUER_DEFAULTS } from "../../components/certificates/issuer";
import { UsageError } from "../kernel/exit";
import type { Judged } from "./judgement";

/** Issuers that need no name. */
export const ISSUER_WORDS = ["acme", "ca", "self-signed", "router", "secret", "spire"] as const;

export const ISSUER_FORM = `${ISSUER_WORDS.join(", ")}, Issuer/<name> or ClusterIssuer/<name>`;

/**
 * @throws UsageError for a word that is no issuer
 */
export function checkIssuerWord(said: string): string {
  if ((ISSUER_WORDS as readonly string[]).includes(said) || /^(Cluster)?Issuer\/./.test(said)) return said;
  throw new UsageError(`--issuer "${said}": it is ${ISSUER_FORM}`);
}

/** Whether it has an ACME account, and whether that must have an e-mail address. */
export const emailFor = (issuer: string): "optional" | "required" | "none" =>
  issuer === "spire" ? "required" : issuer === "acme" ? "optional" : "none";

/** As a stack's config has it. */
export function issuerConfig(
  said: string,
  { email, acmeServer, acceptTos }: { email?: string | undefined; acmeServer?: string | undefined; acceptTos: boolean },
): Record<string, unknown> {
  const account = email === undefined || email === "" ? {} : { email };
  const server = acmeServer === undefined ? {} : { server: acmeServer };
  switch (said) {
    case "acme":
      return { type: "acme", ...server, ...account };
    case "spire":
      return { type: "spire", server: ISSUER_DEFAULTS.acmeServer, ...server, ...account, tosAccepted: acceptTos };
    case "self-signed":
      return { type: "ca", selfSigned: true };
    case "ca":
    case "router":
    case "secret":
      return { type: said };
    default: {
      const [kind, name] = said.split("/");
      return { type: "existing", kind, name };
    }
  }
}

/** @throws UsageError where a cluster is known not to have the issuer */
export function refuseMissingIssuer(said: string, clusters: readonly Judged[]): void {
  if (!said.includes("/")) return;
  for (const { report } of clusters) {
    if (report.issuers === undefined || report.issuers.includes(said)) continue;
    const has = report.issuers.length === 0 ? "no issuer" : report.issuers.join(", ");
    throw new UsageError(
      `--issuer ${said}: the cluster of context ${report.context} has ${has}; make it there, or name another`,
    );
  }
}
