import { wrongName } from "../../../mesh/verify/endpointTls";
import { type CertificateOptions, issue } from "../../components/issue";

const web = (names: CertificateOptions, host: string): string | undefined =>
  wrongName(
    { certificate: issue("web", names).certificate, refused: undefined, status: 200, body: "" },
    { profile: "https_web", host },
  );

test("an endpoint that is an address needs a certificate for that address", () => {
  expect(web({ addresses: ["198.18.0.254"] }, "198.18.0.254")).toBeUndefined();
  expect(web({ addresses: ["198.18.0.253"] }, "198.18.0.254")).toMatch(/, not 198\.18\.0\.254$/);
  expect(web({ dnsNames: ["198.18.0.254"] }, "198.18.0.254")).toMatch(/, not 198\.18\.0\.254$/);
  expect(web({ dnsNames: ["a.example.org"] }, "[::1]")).toMatch(/, not \[::1\]$/);
});

test("an endpoint that is a name needs a certificate for that name", () => {
  expect(web({ dnsNames: ["a.example.org"] }, "a.example.org")).toBeUndefined();
  expect(web({ addresses: ["198.18.0.254"] }, "a.example.org")).toMatch(/, not a\.example\.org$/);
});
