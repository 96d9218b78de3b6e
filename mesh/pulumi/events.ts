/** What a member is doing right now, from the engine's events: pure, so that a view of it is only drawing. */
import { APPLIED } from "../../components/cluster/correction";
import { isObject } from "../../components/shared/untyped";
import { redactedText } from "../kernel/redactedText";
import type { EngineEvent, OpMap } from "./workspace";

type StepEventMetadata = NonNullable<EngineEvent["resOutputsEvent"]>["metadata"];

/** One change of a resource. */
export interface Step {
  op: string;
  /** Type token, such as `kubernetes:core/v1:Namespace`. */
  type: string;
  name: string;
}

/** In one line; `op` of another width where lines stand below each other. */
export const describeStep = (step: Step, op = step.op): string => `${op} ${shortType(step.type)} ${step.name}`;

const shortType = (type: string): string => type.split(":").at(-1) ?? type;

/** Whether it is of the SpireServer, or of the stack's part of it. */
export const isOfSpireServer = ({ type }: Step): boolean => /:SpireServer(Patch)?$/.test(type);

/** Whether the resource goes, or goes and comes back. */
export const isLoss = ({ op }: Step): boolean => op === "delete" || op === "replace";

export interface DetailedStep extends Step {
  /** Paths of the properties that change; none where the engine doesn't say. */
  paths?: string[];
}

export interface Activity {
  /** What it waits for or works on; empty before the first event. */
  doing: string;
  /** Error messages so far, as the program and the providers wrote them. */
  errors: string[];
  /** Warnings so far, each once. */
  warnings: string[];
  /** Everything that changes, or would. */
  steps: DetailedStep[];
  /** Everything that has changed so far, by its URN. */
  ended: (DetailedStep & { urn: string })[];
  /** How many resources of each kind of change there were: the engine's count, and until that comes, of what has ended. */
  changes: OpMap;
  /** Whether the stack's outputs become others. Pulumi counts that as no change. */
  outputsChange: boolean;
}

export const idle: Activity = {
  ...{ doing: "", errors: [], warnings: [], steps: [], ended: [], changes: {} },
  outputsChange: false,
};

/** What is known after one more event. */
export function narrate(before: Activity, event: EngineEvent): Activity {
  const {
    diagnosticEvent: said,
    policyEvent: judged,
    resourcePreEvent: step,
    resOutputsEvent: result,
    summaryEvent: summary,
  } = event;
  if (result !== undefined) return withResult(before, result.metadata);
  if (summary !== undefined) return { ...before, changes: summary.resourceChanges };
  if (said !== undefined) {
    const message = plain(said.message);
    if (said.severity === "error" && !isGeneric(message) && !before.errors.includes(message))
      return { ...before, errors: [...before.errors, message] };
    if (said.severity === "warning" && message !== "" && !before.warnings.includes(message))
      return { ...before, warnings: [...before.warnings, message] };
    if (said.severity === "info" && message !== "" && !NOISE.test(message)) return { ...before, doing: message };
  }
  if (judged !== undefined) {
    const { enforcementLevel, policyName, resourceUrn = "", message } = judged;
    const [type = "", name = ""] = resourceUrn.split("::").slice(-2);
    const found = `${shortType(type)} ${name}: policy ${policyName}: ${plain(message).replaceAll("\n", " ")}`;
    return enforcementLevel === "mandatory"
      ? { ...before, errors: [...before.errors, found] }
      : { ...before, warnings: [...before.warnings, found] };
  }
  if (step === undefined || UNCHANGING.has(step.metadata.op)) return before;
  const now = stepOf(step.metadata);
  return { ...before, doing: describeStep(now), steps: withStep(before.steps, now) };
}

function stepOf({ op, type, urn, detailedDiff }: StepEventMetadata): DetailedStep {
  return {
    op: REPLACING.has(op) ? "replace" : op,
    type,
    name: urn.split("::").at(-1) ?? urn,
    ...(detailedDiff && { paths: Object.keys(detailedDiff) }),
  };
}

/** The result of a component comes twice: when it begins, and when the program has registered its outputs. */
function withResult(before: Activity, metadata: StepEventMetadata): Activity {
  const now = { ...before, ...(metadata.type === STACK && { outputsChange: changesOutputs(metadata) }) };
  const one = { ...stepOf(metadata), urn: metadata.urn };
  if (UNCHANGING.has(one.op) || before.ended.some(({ op, urn }) => op === one.op && urn === one.urn)) return now;
  const changes = { ...before.changes, [one.op]: (before.changes[one.op as keyof OpMap] ?? 0) + 1 };
  return { ...now, ended: [...before.ended, one], changes };
}

const STACK = "pulumi:pulumi:Stack";

/** The stack's result comes twice: as it was when the program begins, and as it is when it ends. */
const changesOutputs = ({ old, new: now }: StepEventMetadata): boolean =>
  JSON.stringify(lasting(old?.outputs)) !== JSON.stringify(lasting(now?.outputs));

/** Without SPIRE's roots: it rotates them by itself, and peers read them only where trust begins. */
function lasting(outputs: Record<string, unknown> | undefined): unknown {
  const federation = outputs?.["federation"];
  if (!isObject(federation)) return outputs;
  const rotated = federation["profile"] === "https_spiffe" ? ["roots", "caCertificates"] : ["roots"];
  return { ...outputs, federation: Object.entries(federation).filter(([key]) => !rotated.includes(key)) };
}

/** The steps of which a replacement is made. */
const REPLACING: ReadonlySet<string> = new Set(["replace", "create-replacement", "delete-replaced"]);

/** A replacement counts once. */
function withStep(steps: readonly DetailedStep[], step: DetailedStep): DetailedStep[] {
  const isSame = (one: Step): boolean => one.op === "replace" && describeStep(one) === describeStep(step);
  const paths = step.paths ?? steps.find(isSame)?.paths;
  return [...steps.filter((one) => !isSame(one)), { ...step, ...(paths && { paths }) }];
}

/** Steps that change nothing: of what stays as it is, and of what is only read. */
export const UNCHANGING: ReadonlySet<string> = new Set(["same", "read", "refresh"]);

/**
 * Whether a change of the SpireServer, or of the stack's part of it, gives SPIRE another configuration, which restarts it. Where
 * somebody has changed what the stack asks for, the step has nothing but the annotation that has it applied again.
 */
export const restartsSpire = ({ paths = [], ...step }: DetailedStep): boolean =>
  isOfSpireServer(step) &&
  step.op !== "delete" &&
  (paths.some((path) => IN_CONF.test(path)) || paths.every((path) => path.includes(APPLIED)));

/** All of the specification but what the operator's Route alone comes of. */
const IN_CONF = /^spec(?!\.federation\.managedRoute$)/;

/** The last word, the engine's or ours, on every operation that fails or is cancelled; it adds nothing to what was said. */
export const isGeneric = (message: string): boolean =>
  /^((update|preview|destroy) (failed|cancell?ed)|pulumi \w+ ended with \w+)$/.test(message);

/** What the Kubernetes provider says of every object whose readiness the program judges itself. */
const NOISE = /^Skipping await logic/;

/** Diagnostics carry the engine's colour marks, `<{%reset%}>`, and what providers quote. */
function plain(message: string): string {
  return redactedText(message.replace(/<\{%.*?%\}>/g, "").trim());
}
