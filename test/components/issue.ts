/** X.509 certificates made in memory, as far as tests need them: any dates, any names, real signatures. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";

export interface CertificateOptions {
  uris?: string[];
  dnsNames?: string[];
  /** IPv4. */
  addresses?: string[];
  ca?: boolean;
  /** Name constraints: the DNS names that are permitted, as the extension has them. */
  permitted?: string[];
  notBefore?: Date;
  notAfter?: Date;
  keyType?: "ec" | "rsa" | "rsa-pss" | "ed25519";
  /** The subject key identifier; null for none. Default the SHA-1 of the whole key, which is not how SPIRE computes its own. */
  keyId?: Buffer | null;
  /** Whose key it is of; a new one when left out. */
  keysOf?: Issued;
  /** Who signs; itself when left out. */
  issuer?: Issued;
}

export interface Issued {
  certificate: X509Certificate;
  pem: string;
  privateKey: KeyObject;
  keyPem: string;
  name: string;
  keyId: Buffer | null;
}

const DAY = 24 * 3600 * 1000;

export function issue(name: string, options: CertificateOptions = {}): Issued {
  const privateKey = options.keysOf?.privateKey ?? newKey(options.keyType ?? "ec");
  const publicKey = createPublicKey(privateKey);
  const keyId = options.keyId === undefined ? createHash("sha1").update(spki(publicKey)).digest() : options.keyId;
  const signer = options.issuer ?? { privateKey, name, keyId };
  const { algorithm, digest } = SIGNATURES[signer.privateKey.asymmetricKeyType as keyof typeof SIGNATURES];
  const now = Date.now();
  const tbs = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(signer.name),
    sequence(time(options.notBefore ?? new Date(now - DAY)), time(options.notAfter ?? new Date(now + DAY))),
    distinguishedName(name),
    spki(publicKey),
    explicit(3, sequence(...extensions(options), ...keyIds(keyId, signer.keyId))),
  );
  const der = sequence(tbs, algorithm, bitString(sign(digest, tbs, signer.privateKey)));
  const certificate = new X509Certificate(der);
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate, pem: certificate.toString(), privateKey, keyPem, name, keyId };
}

/** The x509-svid key of a bundle. */
export function rootKey({ certificate }: Issued): Record<string, unknown> {
  const jwk = createPublicKey(certificate.publicKey.export({ type: "spki", format: "pem" })).export({ format: "jwk" });
  return { use: "x509-svid", ...jwk, x5c: [certificate.raw.toString("base64")] };
}

/** A root of a trust domain. */
export function root(trustDomain: string, options: CertificateOptions = {}): Issued {
  return issue("SPIRE Server CA", { uris: [`spiffe://${trustDomain}`], ca: true, ...options });
}

function extensions({ uris = [], dnsNames = [], addresses = [], ca = false, permitted }: CertificateOptions): Buffer[] {
  const names = [
    ...uris.map((uri) => tagged(0x86, Buffer.from(uri))),
    ...dnsNames.map((dns) => tagged(0x82, Buffer.from(dns))),
    ...addresses.map((address) => tagged(0x87, Buffer.from(address.split(".").map(Number)))),
  ];
  return [
    extension("551d13", sequence(...(ca ? [tagged(0x01, Buffer.from([0xff]))] : []))),
    ...(names.length > 0 ? [extension("551d11", sequence(...names))] : []),
    ...(permitted === undefined
      ? []
      : [
          extension(
            "551d1e",
            sequence(explicit(0, Buffer.concat(permitted.map((dns) => sequence(tagged(0x82, Buffer.from(dns))))))),
          ),
        ]),
  ];
}

/** Which key it is of and which key has signed it: roots of one name are told apart by this, as SPIRE's are. */
function keyIds(own: Buffer | null, signer: Buffer | null): Buffer[] {
  return [
    ...(own === null ? [] : [extension("551d0e", tagged(0x04, own))]),
    ...(signer === null ? [] : [extension("551d23", sequence(tagged(0x80, signer)))]),
  ];
}

function newKey(type: NonNullable<CertificateOptions["keyType"]>): KeyObject {
  switch (type) {
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    case "rsa-pss":
      return generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey;
    case "ed25519":
      return generateKeyPairSync("ed25519").privateKey;
    case "ec":
      return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  }
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

function extension(oidHex: string, value: Buffer): Buffer {
  return sequence(oid(oidHex), tagged(0x04, value));
}

function distinguishedName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(oid("550403"), tagged(0x0c, Buffer.from(name)))));
}

function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`));
}

/** A positive number whose first byte says so by itself. */
function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

function bitString(value: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), value]));
}

function explicit(index: number, value: Buffer): Buffer {
  return tagged(0xa0 + index, value);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function tagged(tag: number, value: Buffer): Buffer {
  const length =
    value.length < 0x80
      ? [value.length]
      : value.length < 0x100
        ? [0x81, value.length]
        : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const RSA = { algorithm: sequence(oid("2a864886f70d01010b"), Buffer.from([0x05, 0x00])), digest: "sha256" };
const SIGNATURES = {
  ec: { algorithm: sequence(oid("2a8648ce3d040302")), digest: "sha256" },
  rsa: RSA,
  // Not how such a key signs; nobody verifies it.
  "rsa-pss": RSA,
  ed25519: { algorithm: sequence(oid("2b6570")), digest: undefined },
};
