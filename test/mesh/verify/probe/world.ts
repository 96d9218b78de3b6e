/** Clusters as a probe sees them, in memory: what is made in them, and workloads that meet as soon as both are there. */
import type { ClusterReader, KubeObject } from "../../../../components/cluster/cluster";
import { demandServed } from "../../../components/apis";
import type { ProbeCluster } from "../../../../mesh/verify/probe/cluster";
import { type Made, type Named, NAMESPACE, PROBE } from "../../../../mesh/verify/probe/probeObjects";

interface Config {
  id: string;
  peers: { name: string; id: string; host: string }[];
}

export class FakeCluster implements ProbeCluster {
  readonly access = {};
  readonly objects: (Named & { data?: Record<string, string>; spec?: object })[];
  /** Kinds in the order in which they were made. */
  readonly made: string[] = [];
  /** Throws to make a request fail; called with its verb and the kind of its object. */
  refuse: (verb: string, kind: string) => void = () => undefined;
  /** What the workload says instead of the usual, by what it was configured for. */
  says?: (config: Config) => object[];

  constructor(
    readonly name: string,
    private readonly world: World,
  ) {
    this.objects = [
      {
        apiVersion: "config.openshift.io/v1",
        kind: "Ingress",
        metadata: { name: "cluster" },
        spec: { domain: `apps.${name}.example.com` },
      },
    ];
  }

  /** What of a probe is there. */
  get left(): string[] {
    return this.objects.map(({ kind }) => kind).filter((kind) => kind !== "Ingress");
  }

  find(kind: string): (Named & { data?: Record<string, string>; spec?: object }) | undefined {
    return this.objects.find((object) => object.kind === kind);
  }

  get config(): Config {
    return JSON.parse(this.find("ConfigMap")?.data?.["config.json"] ?? "{}") as Config;
  }

  get = ((apiVersion: string, kind: string) => {
    demandServed(apiVersion, kind);
    return this.answer("get", kind, () => this.find(kind) as KubeObject | undefined);
  }) as ClusterReader["get"];

  list = ((apiVersion: string, kind: string) => {
    demandServed(apiVersion, kind);
    return this.answer("list", kind, () => this.objects.filter((object) => object.kind === kind));
  }) as ClusterReader["list"];

  create = (object: Made): Promise<boolean> =>
    this.answer("create", object.kind, () => {
      if (this.find(object.kind) !== undefined) return false;
      this.add(object);
      return true;
    });

  apply = (object: Made): Promise<void> =>
    this.answer("apply", object.kind, () => {
      this.drop(object.kind);
      this.add(object);
    });

  remove = ({ kind }: Named): Promise<void> =>
    this.answer("remove", kind, () => {
      if (kind === "Namespace")
        for (const { metadata, kind: within } of [...this.objects]) if (metadata.namespace === PROBE) this.drop(within);
      this.drop(kind);
    });

  log = (): Promise<string> =>
    this.answer("log", "Pod", () => {
      if (this.find("Pod") === undefined) return "";
      const lines = this.says?.(this.config) ?? this.world.lines(this.config);
      return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    });

  /** Puts an object there as if an earlier probe had. */
  add(object: Named): void {
    if (object.metadata.namespace !== undefined && this.find("Namespace") === undefined)
      throw new Error(`${object.kind}: there is no namespace`);
    this.objects.push(structuredClone(object));
    this.made.push(object.kind);
  }

  /** A namespace that an administrator has made, for probes to come. */
  prepareNamespace(): void {
    this.add({ ...NAMESPACE, metadata: { name: PROBE } });
    this.made.length = 0;
  }

  private drop(kind: string): void {
    const index = this.objects.findIndex((object) => object.kind === kind);
    if (index >= 0) this.objects.splice(index, 1);
  }

  private async answer<T>(verb: string, kind: string, give: () => T): Promise<T> {
    await Promise.resolve();
    this.refuse(verb, kind);
    return give();
  }
}

export class World {
  private readonly clusters = new Map<string, FakeCluster>();

  cluster(name: string): FakeCluster {
    const cluster = this.clusters.get(name) ?? new FakeCluster(name, this);
    this.clusters.set(name, cluster);
    return cluster;
  }

  /** A workload meets those that are there and know it. */
  lines({ id, peers }: Config): object[] {
    const met = peers.filter(({ name }) => this.cluster(name).find("Pod") !== undefined);
    return [
      { event: "identity", id, bundles: [] },
      ...met.map(({ name }) => ({ event: "dialed", peer: name, outcome: "met", tls: "TLSv1.3" })),
    ];
  }
}
