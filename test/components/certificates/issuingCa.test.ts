import { readIssued } from "../../../components/certificates/issuingCa";
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
  expect((await readIssued(reader, "tls"))?.ca).toBe("new CA");
});

test.each([
  ["an ACME server names none", [request("tls", "1", { certificate: base64("leaf") })]],
  ["there is no request yet", []],
])("%s: the system's CAs are meant", async (_, requests) => {
  expect((await readIssued(readerOf(...requests), "tls"))?.ca).toBeUndefined();
});
