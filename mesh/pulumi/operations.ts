/** Members' stacks through Pulumi, and word of what they are doing. */
import { PROGRAM } from "../../components/names";
import { CommandError, type Stack, StackNotFoundError } from "@pulumi/pulumi/automation";
import { accessOf, type ClusterAccess } from "../../components/access";
import { connect } from "../../components/connect";
import type { Peer } from "../../components/peer";
import type { Bootstrap } from "../../components/stackBundle";
import { type EngineEvent, makeStack, published, type Published, stackOf, type Workspace } from "./workspace";
import type { Interruption } from "../kernel/interruption";
import { type Activity, idle, narrate, restartsSpire } from "./events";
import { readAgain, settling, type Teller, withLock } from "./recovery";
import { ownRootsOf, type Roots, rootsOf } from "../spire/firstRoots";
import { stackObjects } from "./stackObjects";
import type { DriftOutcome, PreviewOutcome, UpOutcome } from "./outcomes";

interface Options {
  color: "never";
  onEvent: (event: EngineEvent) => void;
  signal: AbortSignal;
}

/** One command on a stack, while it runs. */
interface Attempt extends Teller {
  options: Options;
  activity: () => Activity;
  /** What `found` was told. */
  recovered: string[];
}

type Failure = Extract<UpOutcome, { succeeded: false }>;

const uninterrupted: Interruption = { requested: false, forward: new AbortController().signal };

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
  ) {}

  async make(name: string, secretsProvider?: string): Promise<void> {
    await makeStack(this.workspace, name, secretsProvider);
    this.listener.note(`made stack ${this.label(name)}`);
  }

  async published(name: string): Promise<Published | undefined> {
    const stack = await stackOf(this.workspace, name);
    return readAgain(() => published(stack));
  }

  up(name: string): Promise<UpOutcome> {
    return this.attempt(name, (stack, { options, activity, recovered, ...teller }) =>
      withLock(stack, teller, () =>
        settling(stack, teller, async (refresh) => {
          await stack.up({ ...options, refresh });
          const { changes, steps } = activity();
          return { succeeded: true, changes, restarted: steps.some(restartsSpire), recovered };
        }),
      ),
    );
  }

  destroy(name: string): Promise<UpOutcome> {
    return this.attempt(name, (stack, { options, activity, recovered, ...teller }) =>
      withLock(stack, teller, () =>
        settling(stack, teller, async (refresh) => {
          await stack.destroy({ ...options, refresh });
          return { succeeded: true, changes: activity().changes, restarted: false, recovered };
        }),
      ),
    );
  }

  preview(name: string): Promise<PreviewOutcome> {
    return this.attempt(name, async (stack, { options, activity }) => {
      await stack.preview(options);
      return { succeeded: true, steps: activity().steps };
    });
  }

  roots(peer: Peer, bootstrap: Bootstrap): Promise<Roots> {
    return rootsOf(peer, bootstrap);
  }

  ownRoots({ config }: { config: ClusterAccess }): Promise<string[]> {
    return ownRootsOf(() => connect(accessOf(config)));
  }

  /** What the stack asks for, compared with what is there now; the state stays as it is. */
  drift(name: string): Promise<DriftOutcome> {
    return this.attempt(name, async (stack, { options, activity }) => {
      const events: EngineEvent[] = [];
      const onEvent = (event: EngineEvent): void => {
        events.push(event);
        options.onEvent(event);
      };
      await stack.preview({ ...options, onEvent, refresh: true });
      return { succeeded: true, steps: activity().steps, objects: stackObjects(events) };
    });
  }

  /** The listener hears how it goes. Every error is an outcome of this stack, so that it costs no other stack its run. */
  private async attempt<T extends UpOutcome | PreviewOutcome>(
    name: string,
    operation: (stack: Stack, attempt: Attempt) => Promise<T>,
  ): Promise<T | Failure> {
    let activity = idle;
    const member = this.label(name);
    const recovered: string[] = [];
    const failure = (...errors: string[]): Failure => ({ succeeded: false, errors, recovered });
    const attempt: Attempt = {
      options: {
        color: "never",
        signal: this.interruption.forward,
        onEvent: (event) => {
          activity = narrate(activity, event);
          this.listener.doing(member, activity);
        },
      },
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
    const run = async (): Promise<T | Failure> => {
      if (this.interruption.requested) return failure("was not begun: interrupted");
      const stack = await stackOf(this.workspace, name);
      return readAgain(() => {
        activity = idle;
        return operation(stack, attempt);
      });
    };
    const outcome = await run().catch((error: unknown) => {
      if (!(error instanceof CommandError)) return failure(error instanceof Error ? error.message : String(error));
      if (activity.errors.length > 0) return failure(...activity.errors);
      return failure(
        error instanceof StackNotFoundError
          ? `there is no stack "${member}"; npx ${PROGRAM} up makes it`
          : lastWords(error),
      );
    });
    this.listener.ended(member, outcome);
    return outcome;
  }
}

/** A command that failed before the engine said anything, such as one without a passphrase, explains itself on stderr. */
function lastWords(error: CommandError): string {
  const stderr = /stderr: ([^]*?)(?:\n err\?:|$)/.exec(error.message)?.[1]?.trim();
  return stderr === undefined || stderr === "" ? error.message : stderr;
}
