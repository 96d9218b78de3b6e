import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { bundleFromCertificates } from "../../components/bundle/trustBundle";
import { serverSpiffeId } from "../../components/bundle/peer";
import type { JoinedPeer } from "../../stacks/contract";
import { judgeServedBundles } from "../../stacks/servedBundle";
import { issue, root } from "../components/issue";
import { configOf } from "./fixtures";

const trustDomain = "apps.cluster2.example.com";
const [before, now] = [root(trustDomain), root(trustDomain)];
const id = serverSpiffeId(trustDomain);
let server: Server;
let url: string;

beforeAll((done) => {
  const { pem: cert, keyPem: key } = issue("spire-server", { uris: [id], issuer: now });
  server = createServer({ cert, key }, (_, response) => response.end("{}"));
  server.listen(0, "localhost", () => {
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    done();
  });
});
afterAll((done) => {
  server.close(done);
});

const joined = (more: Partial<JoinedPeer> = {}, peer: Partial<JoinedPeer["peer"]> = {}): JoinedPeer => ({
  peer: {
    ...{ stack: "cluster2", trustDomain, bundleEndpointUrl: url, profile: "https_spiffe", endpointSpiffeId: id },
    ...{ caCertificates: before.pem, ...peer },
  },
  rebootstrap: 0,
  ...more,
});
const judged = async (one: JoinedPeer, config = {}): Promise<string[]> =>
  (await judgeServedBundles(configOf(config), [one], [])).map(({ path, message }) => `${path}: ${message}`);

it("roots that do not verify the peer's endpoint any more are refused, with what to run", async () => {
  expect(await judged(joined())).toEqual([
    expect.stringMatching(
      /^peers: https:\/\/localhost:\d+ cannot be verified with the roots that stack "cluster2" published at its last up: .*certificate.*; run npx pulumi up --stack cluster2 /,
    ),
  ]);
  expect(await judged(joined({}, { caCertificates: before.pem + now.pem }))).toEqual([]);
});

it("a bundle of an owner that does not verify its endpoint is refused, with the command that makes one", async () => {
  const bundle = bundleFromCertificates([before.pem]);
  expect(await judged(joined({}, { bundle }))).toEqual([
    expect.stringMatching(/the bundle that is given for peer "cluster2": .*spire-server bundle show -format spiffe/),
  ]);
});

it.each<[string, Partial<JoinedPeer>, object]>([
  ["its cluster has just been read", { fresh: true }, {}],
  ["its bundle comes from its stack", { bootstrap: "stack" }, {}],
  ["this machine reaches no routers", {}, { probe: "cluster" }],
])("nothing is asked where %s", async (_, more, config) => {
  expect(await judged(joined(more), config)).toEqual([]);
});

it("an endpoint that does not answer is no fault", async () => {
  expect(await judged(joined({}, { bundleEndpointUrl: "https://localhost:1" }))).toEqual([]);
});
