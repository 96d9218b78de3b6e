import { Forbidden, type ServiceProxy } from "../../../components/cluster/cluster";
import { lookAtServedBundle, readServedBundle } from "../../../components/bundle/clusterProbe";
import { root, rootKey } from "../issue";
import { DOMAIN } from "../given";

/** A cluster whose API server answers this when it is asked for a Service. */
const answers = (answer: string | undefined | Error): ServiceProxy => ({
  ask: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
});
const bundleOf = (trustDomain: string): string => JSON.stringify({ keys: [rootKey(root(trustDomain))] });

it("asks port 8443 of the SPIRE server's Service", async () => {
  const ask = jest.fn(() => Promise.resolve(bundleOf(DOMAIN)));
  expect(await lookAtServedBundle({ ask }, DOMAIN)).toEqual({ state: "ready" });
  expect(ask.mock.calls).toEqual([["spire-server", 8443, "zero-trust-workload-identity-manager"]]);
});

it.each<[string, string | undefined | Error, RegExp]>([
  [
    "another trust domain's bundle",
    bundleOf("evil.example.com"),
    /serves a wrong bundle: .*spiffe:\/\/evil\.example\.com/,
  ],
  ["no bundle", "hello", /serves a wrong bundle: .*JWKS/],
  ["no Service", undefined, /there is no Service spire-server/],
  [
    "no ready pod",
    new Error("the API server answers 503, no endpoints available"),
    /503, no endpoints available; .*pod spire-server-0 is ready.*NetworkPolicy keeps the API server from its port 8443/,
  ],
])("waits where there is %s", async (_, answer, because) => {
  expect(await lookAtServedBundle(answers(answer), DOMAIN)).toEqual({
    state: "waiting",
    because: expect.stringMatching(because) as string,
  });
});

it("ends at once for somebody who may not ask, with the file that grants it", async () => {
  expect(await lookAtServedBundle(answers(new Forbidden("services/proxy is forbidden")), DOMAIN)).toEqual({
    state: "failed",
    because: "services/proxy is forbidden; docs/rbac/auditor-cluster-probe.yaml grants it",
    settleSeconds: 0,
  });
});

it("is read as it is served", async () => {
  expect(await readServedBundle(answers("x"))).toBe("x");
});
