/** Members' stacks through Pulumi, and word of what they are doing. */
import { resolve } from "node:path";
import { PROGRAM } from "../../components/shared/names";
import type { Approved } from "../../stacks/approved";
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { type EngineEvent, makeStack, published, type Published, type Workspace } from "./workspace";
import { type Interruption, uninterrupted } from "../kernel/interruption";
import { type Activity, idle, isGeneric, narrate, restartsSpire } from "./events";
import { interruptedOperations } from "./interruptedOperations";
import { readAgain, settling, type Teller, withLock } from "./recovery";
import { ownRootsOf, type FirstPeer, type FirstRoots, rootsOf } from "../spire/firstRoots";
import { type WorkloadsThere, workloadsThere } from "../spire/federating";
import { look, type Looked } from "../kernel/looked";
import { readServer, type ServerSight } from "../spire/serverSight";
import { PulumiError } from "./runPulumi";
import { StackCommands } from "./stackCommands";
import { stackObjects } from "./stackObjects";
import type { DriftOutcome, PreviewOutcome, UpOutcome } from "./outcomes";

/** One command on a stack, while it runs. */
interface Attempt extends Teller {
  stack: StackCommands;
  activity: () => Activity;
  /** What `found` was told. */
  recovered: string[];
}

type Failure = Extract<UpOutcome, { succeeded: false }>;

/** What a run has changed, however it ended. */
const changed = ({ changes, ended, warnings }: Activity) => ({
  changes,
  restarted: ended.some(restartsSpire),
  warnings,
});

/** Hears what each member is doing. */
export interface Listener {
  note(line: string): void;
  began(member: string): void;
  doing(member: string, activity: Activity): void;
  ended(member: string, outcome: UpOutcome | PreviewOutcome): void;
}

export class PulumiStacks {
  constructor(
    private readonly workspace: Workspace,
    private readonly listener: Listener,
    private readonly interruption: Interruption = uninterrupted,
    /** What people call a stack, by its id. */
    private readonly label: (id: string) => string = (id) => id,
    /** A folder for what Pulumi prints. */
    private readonly logDir?: string,
    /** Folder of a policy pack. */
    private readonly policyPack?: string,
  ) {}

  /** The same stacks, with their previews and updates judged by a policy pack. */
  judgedBy(policyPack: string | undefined): PulumiStacks {
    const { workspace, listener, interruption, label, logDir } = this;
    return policyPack === undefined
      ? this
      : new PulumiStacks(workspace, listener, interruption, label, logDir, resolve(policyPack));
  }

  /** @returns what people call it */
  async make(name: string, secretsProvider?: string): Promise<string> {
    await makeStack(this.workspace, name, secretsProvider);
    return this.label(name);
  }

  published(name: string): Promise<Published | undefined> {
    const { workspace, interruption } = this;
    return readAgain(interruption.signal, () => published(workspace, name));
  }

  up(name: string, approved?: Approved): Promise<UpOutcome> {
    return this.attempt(name, async ({ stack, activity, recovered, ...teller }) => {
      await this.change(stack, teller, (refresh) => stack.up(refresh, approved));
      return { succeeded: true, ...changed(activity()), recovered };
    });
  }

  destroy(name: string): Promise<UpOutcome> {
    return this.attempt(name, async ({ stack, activity, recovered, ...teller }) => {
      await this.change(stack, teller, (refresh) => stack.destroy(refresh));
      return { succeeded: true, ...changed(activity()), recovered };
    });
  }

  /** @param config what the stack's file would say, in place of what it says */
  preview(name: string, config?: string): Promise<PreviewOutcome> {
    return this.attempt(name, async ({ stack, activity }) => {
      await stack.preview({ ...(config !== undefined && { config }) });
      const { steps, outputsChange } = activity();
      return { succeeded: true, steps, outputsChange };
    });
  }

  /** Whether no run of the stack was interrupted: none has left operations in its state, or a lock where that can be seen. */
  async isSettled(name: string): Promise<boolean> {
    const { workspace, interruption, logDir } = this;
    const stack = new StackCommands(name, workspace, interruption, () => undefined, logDir);
    return interruptedOperations(await stack.exportState()).length === 0 && !(await stack.isLocked());
  }

  roots(first: FirstPeer): Promise<FirstRoots> {
    return rootsOf(first, connect);
  }

  ownRoots({ config }: { config: ClusterAccess }): Promise<string[]> {
    return ownRootsOf(() => connect(accessOf(config)));
  }

  workloads({ config }: { config: ClusterAccess }): Promise<Looked<WorkloadsThere>> {
    return workloadsThere(() => connect(accessOf(config)));
  }

  server({ config }: { config: ClusterAccess }): Promise<Looked<ServerSight>> {
    return look(() => readServer(connect(accessOf(config))));
  }

  /** What the stack asks for, compared with what is there now; the state stays as it is. */
  drift(name: string): Promise<DriftOutcome> {
    return this.attempt(name, async ({ stack, activity }) => {
      const events: EngineEvent[] = [];
      await stack.preview({ refresh: true, onEvent: (event) => events.push(event) });
      return { succeeded: true, steps: activity().steps, objects: stackObjects(events) };
    });
  }

  private change(stack: StackCommands, teller: Teller, run: (refresh: boolean) => Promise<void>): Promise<void> {
    const { signal } = this.interruption;
    return withLock(stack.name, teller, signal, () => settling(stack, teller, run));
  }

  /** The listener hears how it goes. An error becomes this stack's outcome; other stacks still run. */
  private async attempt<T extends UpOutcome | PreviewOutcome>(
    name: string,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T | Failure> {
    const { interruption } = this;
    let activity = idle;
    const member = this.label(name);
    const recovered: string[] = [];
    const failure = (...errors: string[]): Failure => ({ succeeded: false, errors, recovered, ...changed(activity) });
    const onEvent = (event: EngineEvent): void => {
      activity = narrate(activity, event);
      this.listener.doing(member, activity);
    };
    const stack = new StackCommands(name, this.workspace, interruption, onEvent, this.logDir, this.policyPack);
    const attempt: Attempt = {
      stack,
      activity: () => activity,
      recovered,
      doing: (what) => {
        this.listener.doing(member, { ...activity, doing: what });
      },
      found: (what) => {
        recovered.push(what);
        this.listener.note(`${member}: ${what}`);
      },
    };
    this.listener.began(member);
    const run = (): Promise<T> =>
      readAgain(
        interruption.signal,
        () => {
          activity = idle;
          return operation(attempt);
        },
        () => activity.errors,
      );
    const outcome = await run().catch((error: unknown) => {
      if (!(error instanceof PulumiError)) return failure(error instanceof Error ? error.message : String(error));
      if (error.isMissing) return failure(`there is no stack "${member}"; npx ${PROGRAM} up creates it`);
      const { errors } = activity;
      if (!interruption.signal.aborted) return failure(...(errors.length > 0 ? errors : [error.message]));
      return failure(
        "was interrupted; the same command goes on from here",
        ...errors,
        ...(errors.length > 0 || isGeneric(error.message) ? [] : [error.message]),
      );
    });
    this.listener.ended(member, outcome);
    return outcome;
  }
}
