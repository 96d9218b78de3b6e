/**
 * What makes `dependsOn` of a component wait until what it made works.
 *
 * Pulumi asks a component that others depend on for the promise of its `initialize()`. It calls that while it constructs the
 * component, before there is anything to wait for. So the promise is a gate, which is kept beside the component: Pulumi
 * would send it to the engine with the arguments, and wait for itself.
 *
 * The gate of a component that fails stays closed, so that nothing that depends on it is registered. Only `readiness` rejects:
 * rejected registrations would hand the error on to all that depend on them, and V8, for the debugging session that Pulumi opens
 * in every program, follows an error along all paths through the waiting promises, which doubles with each step.
 */
import * as pulumi from "@pulumi/pulumi";
import { valueIfKnown } from "./known";

interface Gate {
  open: () => void;
  ready: Promise<void>;
  succeed: () => void;
  fail: (error: unknown) => void;
  state: "waiting" | "ready" | "failed";
}

const gates = new WeakMap<pulumi.Resource, Gate>();

/** For the component's `initialize()`: those who depend on it wait here until `readyOnce` lets them go. */
export function gate(component: pulumi.ComponentResource): Promise<void> {
  return new Promise((open) => {
    const made = { open, state: "waiting" } as Gate;
    made.ready = new Promise((succeed, fail) => Object.assign(made, { succeed, fail }));
    gates.set(component, made);
  });
}

/** The component is ready once all of this is there; in a preview it may stay unknown. */
export function readyOnce(
  component: pulumi.ComponentResource,
  ...done: (pulumi.Output<unknown> | Promise<unknown>)[]
): void {
  const all = done.map((one) => (pulumi.Output.isInstance<unknown>(one) ? valueIfKnown(one) : one));
  Promise.all(all).then(
    () => {
      const own = gates.get(component);
      if (own?.state !== "waiting") return;
      own.state = "ready";
      own.succeed();
      own.open();
    },
    (error: unknown) => failComponent(component, error),
  );
}

/** Resolves when the component is ready. Rejects with what made it fail; Pulumi reports that where nobody else does. */
export const readiness = (component: pulumi.Resource): Promise<void> =>
  gates.get(component)?.ready ?? Promise.resolve();

/**
 * The first failure counts, and what follows from it is not told.
 *
 * @returns whether it is told by `readiness`: not once the component was ready
 */
export function failComponent(component: pulumi.Resource | undefined, error: unknown): boolean {
  const own = component && gates.get(component);
  if (own === undefined || own.state === "ready") return false;
  own.state = "failed";
  own.fail(error);
  return true;
}
