/** What is wrong and what to do, the first thing to do first. Pure. */
import { html, type Html, NOTHING } from "./html";
import type { Case, Problem, ProblemState } from "./problems";
import { counted, MARKS, type State } from "./words";

const STATE_OF: Readonly<Record<ProblemState, State>> = {
  failed: "unhealthy",
  pending: "pending",
  unknown: "unknown",
};

const WORDS: Readonly<Record<ProblemState, string>> = {
  failed: "failed",
  pending: "pending",
  unknown: "could not be seen",
};

/** More names than these make no heading, and more checks than these are folded. */
const SHOWN = 3;

export const findingId = (index: number): string => `finding-${index + 1}`;

export function findings(problems: readonly Problem[]): Html {
  return html`<section id="findings" aria-labelledby="findings-title" tabindex="-1">
    <h2 id="findings-title">What is wrong, and what to do</h2>
    ${problems.length === 0 ? html`<p>Nothing is wrong, and nobody has to do anything.</p>` : NOTHING}
    ${problems.map(finding)}
  </section>`;
}

/** Everybody in whom it was found, or the first and how many more. */
export function whose({ cases }: Problem): string {
  const names = [...new Set(cases.flatMap((one) => one.whose))];
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(", ")} and ${more} more` : names.join(", ");
}

function finding(problem: Problem, index: number): Html {
  const { state, holdsUp, cure } = problem;
  const shown = STATE_OF[state];
  return html`<article class="finding ${shown}" id="${findingId(index)}" aria-labelledby="${findingId(index)}-title">
    <h3 id="${findingId(index)}-title">
      <span class="mark" aria-hidden="true">${MARKS[shown]}</span> ${index + 1}. ${whose(problem)}
      <span class="aside">${WORDS[state]}</span>
    </h3>
    <dl>
      ${state === "unknown" ? notSeen(problem.cases) : problem.cases.map((one) => found(one, problem.cases.length > 1))}
      ${
        cure === undefined
          ? NOTHING
          : html`<dt>Do</dt>
              <dd>
                <pre><code>${cure}</code></pre>
              </dd>`
      }
    </dl>
    ${holdsUp === 0 ? NOTHING : html`<p class="aside">${waiting(holdsUp)} for this.</p>`}
  </article>`;
}

export const waiting = (count: number): string =>
  `${counted(count, "further check")} ${count === 1 ? "waits" : "wait"}`;

function found({ whose: names, outcome }: Case, oneOfMany: boolean): Html {
  const { code, title, evidence, source } = outcome;
  return html`<dt>Expected</dt>
    <dd>${title} <span class="code">${code}</span></dd>
    <dt>Found</dt>
    <dd>
      ${oneOfMany ? html`<strong>${names.join(", ")}:</strong> ` : NOTHING}<span class="evidence">${evidence}</span>
      <span class="aside">seen from ${source}</span>
    </dd>`;
}

/** They have one and the same reason. */
function notSeen(cases: readonly Case[]): Html {
  const reason = cases[0]?.outcome.evidence ?? "";
  const list = html`<ul>
    ${cases.map(({ whose: names, outcome: { title, code } }) => html`<li>${title} <span class="code">${code}</span> <span class="aside">${names.join(", ")}</span></li>`)}
  </ul>`;
  return html`<dt>Because</dt>
    <dd><span class="evidence">${reason}</span></dd>
    <dt>Not known</dt>
    <dd>
      ${
        cases.length <= SHOWN
          ? list
          : html`<details>
              <summary>whether ${counted(cases.length, "check")} would pass</summary>
              ${list}
            </details>`
      }
    </dd>`;
}
