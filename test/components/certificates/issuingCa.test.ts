import { readIssuingCa } from "../../../components/certificates/issuingCa";
import type { ClusterReader } from "../../../components/cluster/cluster";

const request = (certificate: string, revision: string, status: object): object => ({
  metadata: {
    annotations: {
      "cert-manager.io/certificate-name": certificate,
      "cert-manager.io/certificate-revision": revision,
    },
  },
  status,
});

const ISSUER = { kind: "Issuer", name: "internal-ca" } as const;

const readerOf = (...requests: object[]): ClusterReader => ({
  access: {},
  get: () => Promise.resolve(undefined),
  list: <T>() => Promise.resolve(requests as T[]),
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const issued = (ca: string): object => ({ certificate: base64("leaf"), ca: base64(ca) });

test("the newest request that was granted names the CA, whatever order they are listed in", async () => {
  const reader = readerOf(
    request("tls", "10", issued("new CA")),
    request("tls", "9", issued("old CA")),
    request("tls", "11", { ca: base64("not granted yet") }),
    request("other", "12", issued("another certificate's CA")),
  );
  expect(await readIssuingCa(reader, "tls", ISSUER)).toBe("new CA");
});

test("an issuer that names none has a public CA", async () => {
  const reader = readerOf(request("tls", "1", { certificate: base64("leaf") }));
  expect(await readIssuingCa(reader, "tls", ISSUER)).toBeUndefined();
});

describe("a request that is gone", () => {
  it("is no proof that there is no CA: the error says how to get it back, and a preview does not know it", async () => {
    await expect(readIssuingCa(readerOf(), "tls", ISSUER)).rejects.toThrow(/is gone.*cmctl renew tls -n zero-trust/);
    expect(await readIssuingCa(readerOf(), "tls", ISSUER, "unknown")).toBe("unknown");
  });

  it("is none where the issuer is of an ACME server", async () => {
    const acme: ClusterReader = { ...readerOf(), get: <T>() => Promise.resolve({ spec: { acme: {} } } as T) };
    expect(await readIssuingCa(acme, "tls", ISSUER)).toBeUndefined();
  });
});
