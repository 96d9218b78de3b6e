import { execFile } from "node:child_process";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { refusalOfRouter } from "../../../components/certificates/routerCertificate";
import { type CertificateOptions, issue } from "../issue";

const ca = issue("ingress-operator", { ca: true });
const [PAST, PAST_END] = [new Date(Date.now() - 7200_000), new Date(Date.now() - 3600_000)];

let router: Server;
let url: string;
let asked: string | false | null | undefined;

/** The router's default certificate, and one of a Route for the host itself. */
function present(options: CertificateOptions): void {
  const pair = issue("router", { issuer: ca, ...options });
  router.setSecureContext({ cert: pair.pem, key: pair.keyPem });
}

beforeEach((done) => {
  router = createServer((request, response) => {
    asked = (request.socket as TLSSocket & { servername?: string | false | null }).servername;
    response.writeHead(503).end();
  });
  router.listen(0, "localhost", () => {
    url = `https://localhost:${(router.address() as AddressInfo).port}`;
    done();
  });
});
afterEach((done) => {
  router.close(done);
});

it("is none for a certificate of the host by that CA, whatever the router answers where no Route is", async () => {
  present({ dnsNames: ["localhost"] });
  expect(await refusalOfRouter(url, ca.pem)).toBeUndefined();
  // By the host itself a Route that is there already would be asked.
  expect(asked).toBe("no-route-has-this-name");
});

it.each<[string, CertificateOptions, string | undefined, string]>([
  ["of a CA that nobody knows", { dnsNames: ["localhost"] }, undefined, "unable to verify the first certificate"],
  ["of another CA than the given one", { dnsNames: ["localhost"] }, issue("other", { ca: true }).pem, "certificate"],
  ["for another host", { dnsNames: ["*.apps.example.com"] }, ca.pem, "altnames"],
  ["that has expired", { dnsNames: ["localhost"], notBefore: PAST, notAfter: PAST_END }, ca.pem, "expired"],
])("refuses a certificate %s, with what to do", async (_, options, given, why) => {
  present(options);
  const refusal = await refusalOfRouter(url, given);
  expect(refusal).toContain(why);
  expect(refusal).toMatch(/^is router, but the router's default certificate .*spec\.defaultCertificate.*endpointCa/);
});

it("refuses it whatever the environment says", async () => {
  present({ dnsNames: ["localhost"] });
  // Only a process of its own can be given that variable.
  const program = `
    const { refusalOfRouter } = require(${JSON.stringify(join(process.cwd(), "dist/components/certificates/routerCertificate.js"))});
    refusalOfRouter(${JSON.stringify(url)}).then(console.log);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
    env: { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
  });
  expect(stdout).toMatch(/^is router, but the router's default certificate/);
});

it("says so when the router cannot be reached from here", async () => {
  const refusal = await refusalOfRouter("https://localhost:1", undefined);
  expect(refusal).toMatch(/^https:\/\/localhost:1 does not answer: .*probe to cluster/);
});
