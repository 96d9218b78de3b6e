/** The provider through which a component creates its objects. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccessArgs } from "./access";

/** The providers of this file: they lead to the cluster that is read. */
const made = new WeakSet<pulumi.ProviderResource>();

/** Any type of that provider: Pulumi tells by the package which provider a resource has for it. */
const ANY_TYPE = "kubernetes:core/v1:Namespace";

/**
 * A component's options with a provider for the cluster that it reads, where they have none.
 *
 * @param name of the provider, in the state
 * @param clusterIdentifier says which cluster it is, so that another kubeconfig, context or server address replaces nothing
 */
export function withProvider(
  name: string,
  { kubeconfig, context }: ClusterAccessArgs,
  opts: pulumi.ComponentResourceOptions = {},
  clusterIdentifier?: pulumi.Input<string>,
): pulumi.ComponentResourceOptions {
  // Where nothing says which cluster it is, it is that of the machine's kubeconfig, for Pulumi's own provider too.
  const unsaid = kubeconfig === undefined && context === undefined && clusterIdentifier === undefined;
  if (unsaid || providerOf(opts) !== undefined) return opts;
  const provider = new k8s.Provider(
    name,
    {
      ...(context !== undefined && { context }),
      ...(clusterIdentifier !== undefined && { clusterIdentifier }),
      // The path as it is given, `~` and all: never the file's content, which has credentials. Empty stands for the
      // machine's own kubeconfig; left out, the SDK would put $KUBECONFIG into the state, and the same stack would show a
      // change on every machine where that is another path.
      kubeconfig: kubeconfig ?? "",
    },
    opts.parent === undefined ? {} : { parent: opts.parent },
  );
  made.add(provider);
  const { providers = [] } = opts;
  return { ...opts, providers: [...(Array.isArray(providers) ? providers : Object.values(providers)), provider] };
}

/** The provider that somebody else has made, so that it may lead to another cluster than the component reads. */
export function foreignProvider(component: pulumi.Resource): pulumi.ProviderResource | undefined {
  const provider = component.getProvider(ANY_TYPE);
  return provider === undefined || made.has(provider) ? undefined : provider;
}

function providerOf(opts: pulumi.ComponentResourceOptions): pulumi.ProviderResource | undefined {
  const { provider, providers = {}, parent } = opts;
  const all = [provider, ...Object.values(providers)].filter((one) => one !== undefined);
  return (
    all.find((one) => one instanceof k8s.Provider || k8s.Provider.isInstance(one)) ??
    (Array.isArray(providers) ? undefined : providers["kubernetes"]) ??
    parent?.getProvider(ANY_TYPE)
  );
}
