/**
 * Builds components against a monitor that stands in for Pulumi's engine, and tells what they registered.
 *
 * `dependencies`, `parent` and the options come from the request itself: they are what the engine goes by, for the order
 * of a destroy too.
 */
import * as pulumi from "@pulumi/pulumi";

/** A resource as it was registered. */
export interface Seen {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** The same as the engine gets them, with marks on what is secret. */
  sent: Record<string, unknown>;
  provider: string;
  /** Names of the resources that it depends on; a component stands for its children. */
  dependencies: string[];
  /** The same of each input that has any. */
  inputDependencies: Record<string, string[]>;
  /** Name of its parent; empty for a resource of the stack. */
  parent: string;
  /** How many other URNs it may have in the state. */
  aliases: number;
  retainOnDelete: boolean;
  /** Name of the resource with which it goes, without being deleted itself. */
  deletedWith: string;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  deleteBeforeReplace: boolean;
  additionalSecretOutputs: string[];
}

export interface RecordOptions {
  preview?: boolean;
  /** The program waits for what never comes; what it has registered until then is returned. */
  stalls?: boolean;
  /** What a provider adds to the inputs, for example a command's stdout. */
  outputs?: (type: string, name: string) => Record<string, unknown>;
}

type Monitor = NonNullable<ReturnType<typeof pulumi.runtime.getMonitor>>;
type Request = Parameters<Monitor["registerResource"]>[0];
type Callback = (error: unknown, response: unknown) => void;

/** Runs a program and returns what it registered, in order, once all of it is registered. */
export async function record(program: () => unknown, options: RecordOptions = {}): Promise<Seen[]> {
  const seen: Seen[] = [];
  const inputs = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs: given }) => {
        inputs.set(name, given as Record<string, unknown>);
        const state = { ...(given as Record<string, unknown>), ...options.outputs?.(type, name) };
        // In a preview an id is not known.
        return { id: options.preview === true ? undefined : `${name}-id`, state };
      },
      call: ({ token }) => {
        throw new Error(`unexpected call to ${token}`);
      },
    },
    "spire-federation",
    "cluster1",
    options.preview ?? false,
  );
  onRegistered(pulumi.runtime.getMonitor(), (request) =>
    seen.push(seenIn(request, inputs.get(request.getName()) ?? {})),
  );
  await program();
  await (options.stalls === true ? quiet(seen) : pulumi.runtime.disconnect());
  return seen;
}

/** Tells of each resource once the monitor has registered it. Pulumi's mocks are told neither options nor dependencies. */
function onRegistered(monitor: Monitor | undefined, note: (request: Request) => unknown): void {
  if (monitor === undefined) throw new Error("no mocks are set");
  const register = monitor.registerResource.bind(monitor);
  Object.assign(monitor, {
    registerResource: (request: Request, callback: Callback) =>
      register(request, (error, response) => {
        note(request);
        callback(error, response);
      }),
  });
}

function seenIn(request: Request, inputs: Record<string, unknown>): Seen {
  return {
    type: request.getType(),
    name: request.getName(),
    inputs,
    sent: request.getObject()?.toJavaScript() ?? {},
    provider: request.getProvider(),
    dependencies: request.getDependenciesList().map(nameOfUrn).sort(),
    inputDependencies: Object.fromEntries(
      [...request.getPropertydependenciesMap().entries()].map(([input, on]) => [
        input,
        on.getUrnsList().map(nameOfUrn).sort(),
      ]),
    ),
    parent: nameOfUrn(request.getParent()),
    aliases: request.getAliasesList().length + request.getAliasurnsList().length,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: nameOfUrn(request.getDeletedwith()),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  };
}

/**
 * Until nothing more is registered: all that could go on has gone on. Turns of the loop count, and not only time, in which a busy machine may not
 * have let this process run.
 */
async function quiet(seen: readonly Seen[]): Promise<void> {
  for (let before = -1; before !== seen.length;) {
    before = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The one resource of a name. */
export function named(seen: readonly Seen[], name: string): Seen {
  const found = seen.filter((resource) => resource.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} resources are named ${name}; there are ${seen.map((r) => r.name).join(", ")}`);
  }
  return found[0];
}

/** The value of an output. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

function nameOfUrn(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
