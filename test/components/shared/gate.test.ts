/** `dependsOn: component` waits until the component is ready, and the failure of one ends no other. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { FederationCertificate } from "../../../components/federationCertificate";
import { RouterSecretAccess } from "../../../components/routerSecretAccess";
import { readiness } from "../../../components/shared/gate";
import { record } from "../../mocks";
import { HOST, ready, silentCluster } from "../given";
import { useCluster } from "../openedCluster";
import { clusterOf } from "../readers";

jest.mock("../../../components/cluster/openCluster", () => jest.requireActual<object>("../openedCluster"));

const certificate = (timeoutSeconds = 300): FederationCertificate =>
  new FederationCertificate("cert", {
    host: HOST,
    issuer: { type: "acme" },
    wait: { timeoutSeconds, pollMs: 10 },
  });

/** A program with two components, of which one depends on the other. */
const program = (): void => {
  new RouterSecretAccess("access", {}, { dependsOn: certificate() });
};

it("registers nothing that depends on a component while that is not ready", async () => {
  useCluster(silentCluster());
  const seen = await record(program, { stalls: true });
  expect(seen.map(({ name }) => name)).toContain("cert-certificate");
  expect(seen.map(({ name }) => name).filter((name) => name.startsWith("access"))).toEqual([]);
});

it("goes on once the component is ready, after all that it has made", async () => {
  useCluster(ready);
  const seen = await record(program);
  expect(seen.find(({ name }) => name === "access")?.dependencies).toEqual([
    "cert-certificate",
    "cert-letsencrypt-http01",
  ]);
});

it("waits in no preview for what an up is to make", async () => {
  useCluster(clusterOf());
  const seen = await record(program, { preview: true });
  expect(seen.map(({ name }) => name)).toContain("access-role");
});

it("fails with the component's reason alone, and does not keep others from being made", async () => {
  useCluster(clusterOf());
  let failure: unknown;
  const seen = await record(
    () => {
      const failing = certificate(0);
      readiness(failing).catch((error: unknown) => (failure = error));
      new RouterSecretAccess("after", {}, { dependsOn: failing });
      new RouterSecretAccess("other");
    },
    { stalls: true },
  );
  expect(failure).toEqual(
    expect.objectContaining({ message: expect.stringMatching(/^Certificate .* not ready/) as string }),
  );
  expect(pulumi.ResourceError.isInstance(failure) && failure.resource).toBeInstanceOf(FederationCertificate);
  const names = seen.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["other-role", "other-binding"]));
  expect(names.filter((name) => name.startsWith("after"))).toEqual([]);
});

it("is reported once, and the program goes on, where nobody asks for the readiness", async () => {
  // In a process of its own: jest takes a rejection that nobody handles for a failure of the test.
  const script = `
    const pulumi = require("@pulumi/pulumi");
    const { gate } = require("./dist/components/shared/gate.js");
    const { stopProgram } = require("./dist/components/shared/stopProgram.js");
    class Part extends pulumi.ComponentResource {
      constructor(name, options) { super("a:b:Part", name, {}, options); }
      initialize() { return gate(this); }
    }
    // As Pulumi's runner does.
    process.on("unhandledRejection", ({ message }) => (console.log("failed:", message), pulumi.log.error(message)));
    const newResource = ({ name }) => (console.log("made:", name), { id: name, state: {} });
    pulumi.runtime.setMocks({ newResource, call: () => ({}) }).then(() => {
      const failing = new Part("failing");
      stopProgram("no quorum", failing);
      let last = failing;
      // Each depends on all before it: a rejection would take 2^30 ways.
      for (let step = 0; step < 30; step++) last = new Part("after" + step, { dependsOn: [last, failing] });
      new pulumi.CustomResource("a:b:C", "other", {});
    });
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", script], { timeout: 50_000 });
  expect(stdout.trim().split("\n").sort()).toEqual(["failed: no quorum", "made: failing", "made: other"]);
});
