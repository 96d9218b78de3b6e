/**
 * One stack with many peers, in a running lab: `lab exec -- npx tsx bench/peers/inLab.ts [peers…]`. The peers' endpoints are
 * one server outside of the cluster that counts how often it is asked. Everything else is real.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { Project } from "../../lab/client/project";
import { ADDRESS, certify } from "../../lab/client/webCertificate";
import { root, rootKey } from "../../test/components/issue";
import { measureCommand, type Ran } from "../command";

const PORT = 9443;
const WATCHED_MS = 60_000;

const trustDomainOf = (name: string): string => `${name}.example.org`;

/** Serves the bundle of trust domain p1.example.org at /p1. */
async function serve(dir: string, names: readonly string[]): Promise<{ server: Server; asked: () => number }> {
  await certify(dir);
  const bundles = new Map(
    names.map((name) => {
      return [`/${name}`, JSON.stringify({ keys: [rootKey(root(trustDomainOf(name)))], spiffe_refresh_hint: 300 })];
    }),
  );
  let asked = 0;
  const [key, cert] = await Promise.all(["tls.key", "tls.crt"].map((file) => readFile(join(dir, file))));
  const server = createServer({ key, cert }, ({ url = "" }, response) => {
    asked++;
    response.end(bundles.get(url));
  });
  await new Promise<void>((done) => server.listen(PORT, ADDRESS, done));
  return { server, asked: () => asked };
}

async function main(): Promise<void> {
  const given = process.argv.slice(2).map(Number);
  const counts = given.length > 0 ? given : [2, 50, 200];
  const names = Array.from({ length: Math.max(...counts) }, (_, index) => `p${index + 1}`);
  const cluster = new Cluster("cluster1");
  const project = await Project.forTest("cluster1");
  const { server, asked } = await serve(project.dir, names);
  const pulumi = async (...args: string[]): Promise<Ran> => {
    const ran = await measureCommand(project, ["npx", "pulumi", ...args, "--stack", "cluster1", "--non-interactive"]);
    if (ran.code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${ran.output.slice(-2000)}`);
    return ran;
  };
  console.log(
    "| peers | preview | up | up again | most MiB | polls of SPIRE per minute |\n| --- | --- | --- | --- | --- | --- |",
  );
  try {
    for (const count of counts) {
      const peers = names.slice(0, count).map((name) => {
        const bundleEndpointUrl = `https://${ADDRESS}:${PORT}/${name}`;
        return { name, trustDomain: trustDomainOf(name), bundleEndpointUrl };
      });
      const issuer = { type: "acme" };
      const config = { context: "cluster1", trustDomain: cluster.trustDomain, issuer, federatesWith: "dynamic", peers };
      await project.writeConfig("cluster1", config);
      const preview = await pulumi("preview");
      const up = await pulumi("up", "--yes", "--skip-preview");
      await eventually(async () => {
        for (const { trustDomain } of [peers[0], peers.at(-1)].flatMap((peer) => peer ?? []))
          if ((await cluster.heldKeys(trustDomain)) === undefined) throw new Error(`no bundle of ${trustDomain}`);
      }, 300);
      const again = await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
      const before = asked();
      await sleep(WATCHED_MS);
      const polls = Math.round(((asked() - before) * 60_000) / WATCHED_MS);
      const most = Math.max(preview.mostMiB, up.mostMiB, again.mostMiB);
      const seconds = [preview, up, again].map((ran) => `${ran.seconds.toFixed(1)} s`);
      console.log(`| ${[count, ...seconds, most.toFixed(0), polls].join(" | ")} |`);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

void main();
