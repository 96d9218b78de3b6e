/** MESH213 where the peer's SPIRE server was away for the poll. */
import { look, NOW, objectIn, pollLine, trustDomainOf } from "./fixture";

const REFUSED = "connection refused";
/** OpenShift's router, where no pod of a Service is ready. */
const ROUTER = "unexpected status 503 fetching bundle: Application is not available";

async function stateAfter(startedAgo: number, failedAgo: number, error = REFUSED): Promise<string | undefined> {
  const { pairs } = await look({
    change: ({ cluster1, cluster2 }) => {
      if (cluster1 === undefined) return;
      cluster1.log = pollLine(failedAgo, "Error updating bundle", trustDomainOf("cluster2"), error);
      for (const bundle of cluster1.bundles) bundle.refreshHint = 300;
      const pod = objectIn(cluster2, "Pod", "spire-server-0") as unknown as {
        status: { containerStatuses: { state: { running: { startedAt: string } } }[] };
      };
      for (const { state } of pod.status.containerStatuses)
        state.running.startedAt = new Date(NOW.getTime() - startedAgo * 1000).toISOString();
    },
  });
  return pairs
    .find(({ member, peer }) => member === "cluster1" && peer === "cluster2")
    ?.checks.find(({ code }) => code === "MESH213")?.state;
}

test.each([
  ["the peer started after the poll, and the next is due later", 20, 40, "pending"],
  ["the peer started shortly before the poll", 60, 40, "pending"],
  ["the peer has been there for long", 3600, 40, "failed"],
  ["the next poll is overdue", 150, 160, "failed"],
])("%s", async (_, started, failedPoll, state) => {
  expect(await stateAfter(started, failedPoll)).toBe(state);
});

test.each([
  ["passes, since the router was reached and believed", 20, 40, "ok"],
  ["fails where the peer has been there for long", 3600, 40, "failed"],
  ["fails when the next poll is overdue", 150, 160, "failed"],
])("a poll that the peer's router answered with 503 %s", async (_, started, failedPoll, state) => {
  expect(await stateAfter(started, failedPoll, ROUTER)).toBe(state);
});
