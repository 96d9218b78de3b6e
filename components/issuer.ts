import { problem, type Problem } from "./problem";
import { checkHttpsUrl, checkName } from "./arguments";

/** A certificate from an ACME server, which looks at `http://<host>/.well-known/acme-challenge/…` (HTTP-01). */
export interface AcmeIssuer {
  type: "acme";
  /** URL of the ACME directory. Default `https://acme-v02.api.letsencrypt.org/directory`. */
  server?: string;
  /** Address for notices of the CA. Default none, as in the procedure. */
  email?: string;
  /** Class of the Ingress that answers the challenge. Default `openshift-default`. */
  ingressClassName?: string;
}

/** A certificate from an internal CA whose key pair is a secret in the operand namespace. */
export interface CaIssuer {
  type: "ca";
  /** Secret with the CA's `tls.crt` and `tls.key`. Default `internal-ca-key-pair`. */
  secretName?: string;
  /** cert-manager makes the CA, from a self-signed root. Default false: the secret is there already. */
  selfSigned?: boolean;
}

/** An issuer that somebody else looks after. */
export interface ExistingIssuer {
  type: "existing";
  /** `Issuer` in the operand namespace, or `ClusterIssuer`. */
  kind: "Issuer" | "ClusterIssuer";
  name: string;
}

export type IssuerArgs = AcmeIssuer | CaIssuer | ExistingIssuer;

/** The procedure's values. */
export const ISSUER_DEFAULTS = {
  acmeServer: "https://acme-v02.api.letsencrypt.org/directory",
  ingressClassName: "openshift-default",
  caSecretName: "internal-ca-key-pair",
} as const;

export function checkIssuer(path: string, issuer: IssuerArgs): Problem[] {
  switch (issuer.type) {
    case "acme":
      return [
        ...(issuer.server === undefined ? [] : checkHttpsUrl(`${path}.server`, issuer.server)),
        ...(issuer.email === undefined || /^[^@\s]+@[^@\s]+$/.test(issuer.email)
          ? []
          : problem(
              `${path}.email`,
              `"${issuer.email}" is not an e-mail address; leave it out or give one like ops@example.com`,
            )),
        ...(issuer.ingressClassName === undefined
          ? []
          : checkName(`${path}.ingressClassName`, issuer.ingressClassName)),
      ];
    case "ca":
      return issuer.secretName === undefined ? [] : checkName(`${path}.secretName`, issuer.secretName);
    case "existing":
      return checkName(`${path}.name`, issuer.name);
  }
}
