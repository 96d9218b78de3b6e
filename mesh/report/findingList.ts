/** What is wrong and what to do, the first thing to do first. Pure. */
import { counted, someOf } from "../kernel/text";
import { html, type Html, NOTHING } from "./html";
import type { Case, Cure, Problem, ProblemState } from "../verify/problems";
import type { State } from "./words";
import { MARKS } from "../verify/verification";

/** Class and word of each. */
const SHOWN_AS: Readonly<Record<ProblemState, { style: State | "warn"; word: string }>> = {
  failed: { style: "unhealthy", word: "failed" },
  pending: { style: "pending", word: "pending" },
  unknown: { style: "unknown", word: "could not be seen" },
  warn: { style: "warn", word: "warning" },
  note: { style: "warn", word: "note" },
};

/** More names than these make no heading, and more lines than these are folded. */
const SHOWN = 3;

export const findingId = (index: number): string => `finding-${index + 1}`;

export function findings(problems: readonly Problem[]): Html {
  return html`<section id="findings" aria-labelledby="findings-title" tabindex="-1">
    <h2 id="findings-title">What is wrong, and what to do</h2>
    ${problems.every(isFine) ? html`<p>${nothingWrong(problems)}</p>` : NOTHING} ${problems.map(finding)}
  </section>`;
}

/** A warning or a note. */
const isFine = ({ state }: Problem): boolean => state === "warn" || state === "note";

/** How many warnings and notes there are, where nothing is wrong. */
export function nothingWrong(problems: readonly Problem[]): string {
  const count = (state: ProblemState): number => problems.filter((one) => one.state === state).length;
  const [warnings, notes] = [count("warn"), count("note")];
  const worth = [
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
    ...(notes > 0 ? [counted(notes, "note")] : []),
  ].join(", ");
  return worth === "" ? "Nothing is wrong." : `Nothing is wrong; ${worth}.`;
}

/** Names of the members and pairs that have it; after the first few, only how many more. */
export const whose = ({ cases }: Problem): string => someOf([...new Set(cases.flatMap((one) => one.whose))], SHOWN);

function finding(problem: Problem, index: number): Html {
  const { state, cases, consequences, cures, holdsUp } = problem;
  const { style, word } = SHOWN_AS[state];
  return html`<article class="finding ${style}" id="${findingId(index)}" aria-labelledby="${findingId(index)}-title">
    <h3 id="${findingId(index)}-title">
      <span class="mark" aria-hidden="true">${MARKS[state]}</span> ${index + 1}. ${whose(problem)}
      <span class="aside">${word}</span>
    </h3>
    <dl>
      ${state === "unknown" ? notSeen(cases) : notSo([...cases, ...consequences])}
      ${
        cures.length === 0
          ? NOTHING
          : html`<dt>Do</dt>
              <dd>${folded(cures.map((cure) => todo(cure, cures.length > 1)))}</dd>`
      }
    </dl>
    ${holdsUp === 0 ? NOTHING : html`<p class="aside">${waiting(holdsUp)} for this.</p>`}
  </article>`;
}

export const waiting = (count: number): string =>
  `${counted(count, "further check")} ${count === 1 ? "waits" : "wait"}`;

function todo({ whose: names, text }: Cure, named: boolean): Html {
  const label = named ? html`<span class="aside">${names.join(", ")}:</span>` : NOTHING;
  return html`${label}
    <pre><code>${text}</code></pre>`;
}

/** The expected state is printed once for each code. */
function notSo(cases: readonly Case[]): Html[] {
  const codes = [...new Set(cases.map(({ outcome }) => outcome.code))];
  const everybody = new Set(cases.flatMap((one) => one.whose)).size;
  return codes.flatMap((code) => {
    const ofCode = cases.filter(({ outcome }) => outcome.code === code);
    return ofCode.slice(0, 1).map(
      ({ outcome: { title } }) =>
        html`<dt>Expected</dt>
          <dd>${title} <span class="code">${code}</span></dd>
          <dt>Found</dt>
          <dd>${folded(ofCode.map((one) => found(one, one.whose.length < everybody)))}</dd>`,
    );
  });
}

function found({ whose: names, outcome: { evidence, source } }: Case, named: boolean): Html {
  const label = named ? html`<strong>${names.join(", ")}:</strong> ` : NOTHING;
  return html`${label}<span class="evidence">${evidence}</span> <span class="aside">seen from ${source}</span>`;
}

function notSeen(cases: readonly Case[]): Html {
  const reasons = [...new Set(cases.map(({ outcome }) => outcome.evidence))];
  return html`<dt>Because</dt>
    <dd>${folded(reasons.map((reason) => html`<span class="evidence">${reason}</span>`))}</dd>
    <dt>Not known</dt>
    <dd>
      ${folded(cases.map(({ whose: names, outcome: { title, code } }) => html`${title} <span class="code">${code}</span> <span class="aside">${names.join(", ")}</span>`))}
    </dd>`;
}

/** The first ones, and the others folded. */
function folded(items: readonly Html[]): Html {
  const list = (some: readonly Html[]): Html =>
    html`<ul>
      ${some.map((item) => html`<li>${item}</li>`)}
    </ul>`;
  const rest = items.slice(SHOWN);
  if (rest.length === 0) return list(items);
  return html`${list(items.slice(0, SHOWN))}
    <details>
      <summary>and ${rest.length} more</summary>
      ${list(rest)}
    </details>`;
}
