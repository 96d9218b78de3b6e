/** Where the lab must be no kinder than OpenShift, since that would hide faults of the product. */
import { Cluster, NAMESPACE, type Manifest } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";

const cluster = new Cluster("cluster1");
const PLAIN = "lab-openshift";

// A generous bound against hanging, not a measurement.
jest.setTimeout(300_000);

beforeAll(() => cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: PLAIN } }));
afterAll(() => cluster.core.deleteNamespace({ name: PLAIN }));

const inServer = (...command: string[]): Promise<string> => cluster.exec("spire-server-0", "spire-server", command);

test("the SPIRE server's program is where Red Hat's image has it, and nowhere else", async () => {
  await expect(inServer("/spire-server", "healthcheck")).resolves.toContain("Server is healthy.");
  await expect(inServer("spire-server", "healthcheck")).rejects.toThrow(
    /exit code 1\nexecutable file `spire-server` not found in \$PATH/,
  );
  await expect(inServer("/opt/spire/bin/spire-server", "healthcheck")).rejects.toThrow(
    /exit code 1\nexecutable file `\/opt\/spire\/bin\/spire-server` not found/,
  );
});

test("a pod can look up the name of its node", async () => {
  const [pod] = await cluster.pods();
  const name = pod?.spec?.nodeName ?? "no pod";
  const address = pod?.status?.hostIP ?? "no address";
  await expect(inServer("getent", "hosts", name)).resolves.toContain(address);
});

test("a labelled ConfigMap has the cluster's trusted CAs, also when somebody changes them; its other keys stay", async () => {
  const map = { name: "trusted", namespace: PLAIN };
  const labels = { "config.openshift.io/inject-trusted-cabundle": "true" };
  const read = async (): Promise<Record<string, string>> =>
    (await cluster.core.readNamespacedConfigMap(map)).data ?? {};
  await cluster.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { ...map, labels } });
  await eventually(async () => {
    expect((await read())["ca-bundle.crt"]).toContain("BEGIN CERTIFICATE");
  });
  const filled = await read();
  const data = { "ca-bundle.crt": "changed", other: "kept" };
  await cluster.merge({ apiVersion: "v1", kind: "ConfigMap", metadata: map, data } as Manifest);
  await eventually(async () => {
    expect(await read()).toEqual({ ...filled, other: "kept" });
  });
});

test("OpenShift writes into a new Namespace and its ServiceAccounts", async () => {
  await eventually(async () => {
    const { metadata } = await cluster.core.readNamespace({ name: PLAIN });
    expect(Object.keys(metadata?.annotations ?? {})).toContain("openshift.io/sa.scc.uid-range");
    expect(metadata?.labels).toMatchObject({ "pod-security.kubernetes.io/warn": "restricted" });
    const account = await cluster.core.readNamespacedServiceAccount({ name: "default", namespace: PLAIN });
    expect(account.imagePullSecrets).toHaveLength(1);
  });
});

test("a pod that asks for more than the SCC restricted-v2 gives is refused outside the operators' namespaces", async () => {
  const pod = (namespace: string): Manifest => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "privileged", namespace },
    spec: {
      containers: [
        { name: "main", image: "lab.local/tools", command: ["true"], securityContext: { privileged: true } },
      ],
      restartPolicy: "Never",
    },
  });
  await expect(cluster.create(pod(PLAIN))).rejects.toThrow(/violates PodSecurity/);
  await cluster.create(pod(NAMESPACE));
  await cluster.remove("v1", "Pod", "privileged");
});

test("the version of the cluster can be read", async () => {
  const version = await cluster.read("config.openshift.io/v1", "ClusterVersion", "version");
  expect(version).toMatchObject({
    status: { desired: { version: "4.20.8" }, history: [{ state: "Completed", version: "4.20.8" }] },
  });
});
