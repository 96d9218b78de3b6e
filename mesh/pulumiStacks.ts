/** Members' stacks through Pulumi, and word of what they are doing. */
import { CommandError, type Stack } from "@pulumi/pulumi/automation";
import { type EngineEvent, findStack, published, type Published, type Workspace } from "./backend";
import { type Activity, idle, narrate } from "./narrator";
import type { PreviewOutcome } from "./preview";
import type { Stacks, UpOutcome } from "./up";

interface Options {
  color: "never";
  onEvent: (event: EngineEvent) => void;
}

interface Failure {
  succeeded: false;
  errors: string[];
}

const failure = (...errors: string[]): Failure => ({ succeeded: false, errors });

/** Hears what each member is doing. */
export interface Listener {
  began(member: string): void;
  doing(member: string, activity: Activity): void;
  ended(member: string, outcome: UpOutcome | PreviewOutcome): void;
}

export class PulumiStacks implements Stacks {
  private readonly stacks = new Map<string, Promise<Stack | undefined>>();

  constructor(
    private readonly workspace: Workspace,
    private readonly listener: Listener,
  ) {}

  /** Makes those of the stacks that the backend doesn't have; gives their names. */
  async init(names: readonly string[]): Promise<string[]> {
    const made: string[] = [];
    for (const name of names) {
      if ((await this.find(name)) !== undefined) continue;
      await this.workspace.createStack(name);
      this.stacks.delete(name);
      made.push(name);
    }
    return made;
  }

  async published(name: string): Promise<Published | undefined> {
    const stack = await this.find(name);
    return stack && published(stack);
  }

  up(name: string): Promise<UpOutcome> {
    return this.attempt(name, async (stack, options) => {
      const { summary } = await stack.up(options);
      return { succeeded: true, changes: summary.resourceChanges ?? {} };
    });
  }

  preview(name: string): Promise<PreviewOutcome> {
    return this.attempt(name, async (stack, options, activity) => {
      await stack.preview(options);
      return { succeeded: true, steps: activity().steps };
    });
  }

  /** The listener hears how it goes; a command that fails is an outcome, anything else is an error of ours. */
  private async attempt<T extends UpOutcome | PreviewOutcome>(
    name: string,
    operation: (stack: Stack, options: Options, activity: () => Activity) => Promise<T>,
  ): Promise<T | Failure> {
    let activity = idle;
    const onEvent = (event: EngineEvent): void => {
      activity = narrate(activity, event);
      this.listener.doing(name, activity);
    };
    this.listener.began(name);
    const stack = await this.find(name);
    const outcome = await (
      stack === undefined
        ? Promise.resolve(failure(`there is no stack "${name}"; mesh up makes it`))
        : operation(stack, { color: "never", onEvent }, () => activity)
    ).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return failure(...(activity.errors.length > 0 ? activity.errors : [lastWords(error)]));
    });
    this.listener.ended(name, outcome);
    return outcome;
  }

  private find(name: string): Promise<Stack | undefined> {
    const known = this.stacks.get(name) ?? findStack(this.workspace, name);
    this.stacks.set(name, known);
    return known;
  }
}

/** A command that failed before the engine said anything, such as one without a passphrase, explains itself on stderr. */
function lastWords(error: CommandError): string {
  const stderr = /stderr: ([^]*?)(?:\n err\?:|$)/.exec(error.message)?.[1]?.trim();
  return stderr === undefined || stderr === "" ? error.message : stderr;
}
