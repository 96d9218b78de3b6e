import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { problem, type Problem } from "../shared/problem";
import { checkEmail, checkHttpsUrl, checkName } from "../shared/arguments";

/** Who issues a certificate. @enum */
export const IssuerType = {
  /** An ACME server, which must reach `http://<host>/.well-known/acme-challenge/…` (HTTP-01). */
  Acme: "acme",
  /** An internal CA whose key pair is in a secret. */
  Ca: "ca",
  /** An issuer that exists and that somebody else maintains. */
  Existing: "existing",
} as const;
export type IssuerType = (typeof IssuerType)[keyof typeof IssuerType];

/** Kind of an issuer. @enum */
export const IssuerKind = {
  /** In namespace zero-trust-workload-identity-manager. */
  Issuer: "Issuer",
  /** For the whole cluster. */
  ClusterIssuer: "ClusterIssuer",
} as const;
export type IssuerKind = (typeof IssuerKind)[keyof typeof IssuerKind];

/** Where a Certificate's issuer is. */
export interface IssuerReference {
  kind: IssuerKind;
  name: string;
}

/**
 * Who issues the certificate of the bundle endpoint. Each property belongs to one type; others are refused. Another `server` or
 * `secretName` is another Issuer, with a resource of its own; so is another host with `selfSigned`.
 */
export interface IssuerArgs {
  /** Who issues the certificate. */
  type: IssuerType;
  /** `acme`: URL of the ACME directory. Default `https://acme-v02.api.letsencrypt.org/directory`. */
  server?: string;
  /** `acme`: e-mail address of the ACME account, for the CA's notices. Default none. */
  email?: pulumi.Input<string>;
  /** `acme`: class of the Ingress that answers the challenge. Default `openshift-default`. */
  ingressClassName?: pulumi.Input<string>;
  /**
   * `ca`: secret with the CA's `tls.crt` and `tls.key` in namespace zero-trust-workload-identity-manager. Default
   * `internal-ca-key-pair`. With `selfSigned` a hash of the host is added.
   */
  secretName?: string;
  /**
   * `ca`: have cert-manager, from 1.17 on, create the CA as a self-signed root of 10 years, which may sign for the endpoint's
   * host alone. Default false: the secret exists.
   */
  selfSigned?: boolean;
  /** `existing`: kind of the issuer. Default `Issuer`. */
  kind?: pulumi.Input<IssuerKind>;
  /** `existing`: name of the issuer. Required. */
  name?: pulumi.Input<string>;
}

/** The same, known. */
export type Issuer = pulumi.Unwrap<IssuerArgs>;

/** Which properties belong to a type. */
export const ISSUER_PROPERTIES: Record<IssuerType, readonly (keyof IssuerArgs)[]> = {
  acme: ["server", "email", "ingressClassName"],
  ca: ["secretName", "selfSigned"],
  existing: ["kind", "name"],
};

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
  const { type, server, email, ingressClassName, secretName, name } = issuer;
  const others = (Object.keys(issuer) as (keyof IssuerArgs)[]).filter(
    (key) => key !== "type" && issuer[key] !== undefined && !ISSUER_PROPERTIES[type].includes(key),
  );
  const missing = type === "existing" && name === undefined;
  return [
    ...others.flatMap((key) => problem(`${path}.${key}`, `has no effect with type ${type}; remove it`)),
    ...(server === undefined ? [] : checkHttpsUrl(`${path}.server`, server)),
    ...(email === undefined ? [] : checkEmail(`${path}.email`, email)),
    ...(ingressClassName === undefined ? [] : checkName(`${path}.ingressClassName`, ingressClassName)),
    ...(secretName === undefined ? [] : checkName(`${path}.secretName`, secretName)),
    ...(name === undefined ? [] : checkName(`${path}.name`, name)),
    ...(missing ? problem(`${path}.name`, "is not set; with type existing it is the name of the issuer") : []),
  ];
}

/** The reference to an issuer that exists. */
export function existingIssuer({ kind = "Issuer", name = "" }: Issuer): IssuerReference {
  return { kind, name };
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

/**
 * The procedure's steps 4 and 5. An existing issuer is referred to as it is.
 *
 * @param host for which a self-signed CA may sign; another host gets another CA, in a secret of its own
 */
export function planIssuer(issuer: Issuer, host: string): IssuerPlan {
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
      const isOurs = issuer.selfSigned === true;
      const given = issuer.secretName ?? ISSUER_DEFAULTS.caSecretName;
      // cert-manager does not issue a CA again when its name constraints change.
      const secretName = isOurs ? issuerName(given, host, "") : given;
      const name = issuerName(CA_ISSUER, secretName, ISSUER_DEFAULTS.caSecretName);
      const ca: IssuerObject = { kind: "Issuer", role: name, name, spec: { ca: { secretName } } };
      return {
        objects: isOurs ? [...selfSignedRoot(secretName, host), ca] : [ca],
        reference: { kind: "Issuer", name },
      };
    }
    case "existing":
      return { objects: [], reference: existingIssuer(issuer) };
  }
}

function acmeSpec(server: string, issuer: Issuer): Record<string, unknown> {
  return {
    server,
    ...(issuer.email === undefined ? {} : { email: issuer.email }),
    privateKeySecretRef: { name: "letsencrypt-account-key" },
    solvers: [
      { http01: { ingress: { ingressClassName: issuer.ingressClassName ?? ISSUER_DEFAULTS.ingressClassName } } },
    ],
  };
}

/**
 * A root of ten years: it is published to the peers, and replacing it needs all of them. They trust it for every host that it
 * may sign for, so that is the endpoint's alone. cert-manager refuses name constraints before 1.17, by its feature gate.
 */
function selfSignedRoot(secretName: string, host: string): IssuerObject[] {
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
        nameConstraints: { critical: true, permitted: { dnsDomains: [host] } },
        issuerRef: { kind: "Issuer", name },
      },
    },
  ];
}
