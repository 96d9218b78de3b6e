/** How the rules are tested: each with programs that it passes, that it refuses, and that it almost refuses. */
import type { Resource, Rule } from "../../policy/rule";

const NAMESPACE = "zero-trust-workload-identity-manager";

interface Options {
  name?: string;
  protect?: boolean;
  /** Name of the provider; each is of another cluster. */
  cluster?: string;
  clusterIdentifier?: string;
}

/** A resource as Pulumi shows it to a policy. */
export function resource(type: string, props: Record<string, unknown>, options: Options = {}): Resource {
  const { name = "it", protect = false, cluster = "cluster1", clusterIdentifier } = options;
  const urn = (of: string, is: string): string => `urn:pulumi:cluster1::program::${of}::${is}`;
  const provider = "pulumi:providers:kubernetes";
  return {
    type,
    name,
    urn: urn(type, name),
    props,
    opts: {
      protect,
      ignoreChanges: [],
      aliases: [],
      additionalSecretOutputs: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    },
    ...(type.startsWith("kubernetes:") && {
      provider: { type: provider, name: cluster, urn: urn(provider, cluster), props: { clusterIdentifier } },
    }),
  };
}

/** A Kubernetes object in the operator's namespace. */
export const object = (
  api: string,
  kind: string,
  fields: Record<string, unknown>,
  options: Options & { namespace?: string } = {},
): Resource => {
  const { namespace = NAMESPACE, ...rest } = options;
  const metadata = { name: rest.name ?? "it", namespace };
  return resource(`kubernetes:${api}:${kind}`, { apiVersion: api, kind, metadata, ...fields }, rest);
};

export interface Cases {
  /** What the procedure asks for, and other programs that are as good. */
  passes: Record<string, readonly Resource[]>;
  /** Each with what the rule says. */
  refuses: Record<string, readonly [readonly Resource[], ...string[]]>;
  /** What looks like something that is refused, and is none. */
  nearMisses: Record<string, readonly Resource[]>;
}

/** What a rule says of a program. */
export const said = ({ checkResource, checkStack }: Rule, resources: readonly Resource[]): string[] =>
  [...resources.flatMap((one) => checkResource?.(one) ?? []), ...(checkStack?.(resources) ?? [])].map(
    ({ path, message }) => `${path}: ${message}`,
  );

export function testRule(rule: Rule, { passes, refuses, nearMisses }: Cases): void {
  describe(rule.name, () => {
    test.each(Object.entries(passes))("passes %s", (_, resources) => {
      expect(said(rule, resources)).toEqual([]);
    });
    test.each(Object.entries(refuses))("refuses %s", (_, [resources, ...messages]) => {
      expect(said(rule, resources)).toEqual(messages);
    });
    test.each(Object.entries(nearMisses))("passes a near miss: %s", (_, resources) => {
      expect(said(rule, resources)).toEqual([]);
    });
  });
}
