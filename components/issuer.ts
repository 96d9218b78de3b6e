import { createHash } from "node:crypto";
import type { Problem } from "./problem";
import type { IssuerReference } from "./certificateReadiness";
import { checkEmail, checkHttpsUrl, checkName } from "./arguments";

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
  /** `Issuer` in the operand namespace, or `ClusterIssuer`. Default `Issuer` in a stack's config. */
  kind: "Issuer" | "ClusterIssuer";
  /** Name of that issuer. Required. */
  name: string;
}

export type IssuerArgs = AcmeIssuer | CaIssuer | ExistingIssuer;

/** The procedure's values. */
export const ISSUER_DEFAULTS = {
  acmeServer: "https://acme-v02.api.letsencrypt.org/directory",
  ingressClassName: "openshift-default",
  caSecretName: "internal-ca-key-pair",
} as const;

const ACME_ISSUER = "letsencrypt-http01";
const CA_ISSUER = "internal-ca";

/**
 * The procedure's name for the procedure's value, another one for each other value: cert-manager issues anew when a
 * Certificate refers to another issuer, but not when the issuer that it refers to has come to be another.
 */
function issuerName(base: string, value: string, standard: string): string {
  return value === standard ? base : `${base}-${createHash("sha256").update(value).digest("hex").slice(0, 8)}`;
}

/** What is wrong with an issuer's description. */
export function checkIssuer(path: string, issuer: IssuerArgs): Problem[] {
  switch (issuer.type) {
    case "acme":
      return [
        ...(issuer.server === undefined ? [] : checkHttpsUrl(`${path}.server`, issuer.server)),
        ...(issuer.email === undefined ? [] : checkEmail(`${path}.email`, issuer.email)),
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

/** One object that an issuer consists of. */
export interface IssuerObject {
  kind: "Issuer" | "Certificate";
  /**
   * Part of the resource's name in the stack. Another issuer has another one, so that it is another resource: as a
   * replacement that an interrupted up has left behind it would be deleted when the config is taken back.
   */
  role: string;
  name: string;
  spec: Record<string, unknown>;
}

/** What has to be made for an issuer, in order, and how a Certificate refers to it. */
export interface IssuerPlan {
  objects: IssuerObject[];
  reference: IssuerReference;
}

/** The procedure's steps 4 and 5. An existing issuer is referred to as it is. */
export function planIssuer(issuer: IssuerArgs): IssuerPlan {
  switch (issuer.type) {
    case "acme": {
      const server = issuer.server ?? ISSUER_DEFAULTS.acmeServer;
      const name = issuerName(ACME_ISSUER, server, ISSUER_DEFAULTS.acmeServer);
      return {
        objects: [{ kind: "Issuer", role: name, name, spec: { acme: acmeSpec(server, issuer) } }],
        reference: { kind: "Issuer", name },
      };
    }
    case "ca": {
      const secretName = issuer.secretName ?? ISSUER_DEFAULTS.caSecretName;
      const name = issuerName(CA_ISSUER, secretName, ISSUER_DEFAULTS.caSecretName);
      const ca: IssuerObject = { kind: "Issuer", role: name, name, spec: { ca: { secretName } } };
      return {
        objects: issuer.selfSigned === true ? [...selfSignedRoot(secretName), ca] : [ca],
        reference: { kind: "Issuer", name },
      };
    }
    case "existing":
      return { objects: [], reference: { kind: issuer.kind, name: issuer.name } };
  }
}

function acmeSpec(server: string, issuer: AcmeIssuer): Record<string, unknown> {
  return {
    server,
    ...(issuer.email === undefined ? {} : { email: issuer.email }),
    privateKeySecretRef: { name: "letsencrypt-account-key" },
    solvers: [
      { http01: { ingress: { ingressClassName: issuer.ingressClassName ?? ISSUER_DEFAULTS.ingressClassName } } },
    ],
  };
}

/** A root of ten years: it is published to the peers, and replacing it needs all of them. */
function selfSignedRoot(secretName: string): IssuerObject[] {
  const name = `${CA_ISSUER}-root`;
  return [
    { kind: "Issuer", role: "root-issuer", name, spec: { selfSigned: {} } },
    {
      kind: "Certificate",
      role: "root",
      name,
      spec: {
        secretName,
        isCA: true,
        commonName: CA_ISSUER,
        duration: "87600h",
        privateKey: { algorithm: "ECDSA", size: 256 },
        usages: ["cert sign", "crl sign"],
        issuerRef: { kind: "Issuer", name },
      },
    },
  ];
}
