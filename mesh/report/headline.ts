/** How the mesh is, in one line, and what to do first, in another. Pure. */
import { counted } from "../kernel/text";
import { healthOf, subjectsOf, type Verification } from "../verify/verification";
import { findingId, nothingWrong, waiting, whose } from "./findingList";
import { html, type Html, NOTHING } from "./html";
import type { Problem } from "../verify/problems";
import { PAGE_MARKS, type State } from "./words";

export interface Headline {
  title: string;
  head: Html;
}

export function headline(verification: Verification, problems: readonly Problem[]): Headline {
  const text = countHealthy(verification);
  const state: State = healthOf(subjectsOf(verification).flatMap(({ checks }) => checks));
  return {
    title: `${text} – SPIRE federation`,
    head: html`<h1 class="${state}"><span class="mark" aria-hidden="true">${PAGE_MARKS[state]}</span> ${text}</h1>
      ${problems.length === 0 ? NOTHING : html`<p class="lead">${lead(problems)}</p>`}`,
  };
}

function countHealthy({ members, pairs, peers }: Verification): string {
  const healthy = (all: readonly { health: State }[]): number => all.filter((one) => one.health === "healthy").length;
  const [fine, trusting] = [healthy(members), healthy(pairs)];
  if (fine === members.length && trusting === pairs.length && peers.length === 0) {
    return `All healthy: ${counted(members.length, "member")}, ${counted(pairs.length, "direction")} of trust`;
  }
  const text = `${fine} of ${counted(members.length, "member")} and ${trusting} of ${counted(pairs.length, "direction")} of trust are healthy`;
  return peers.length === 0 ? text : `${text}; ${counted(peers.length, "peer")} not`;
}

function lead(problems: readonly Problem[]): Html {
  const count = (state: Problem["state"]): number => problems.filter((problem) => problem.state === state).length;
  const failed = count("failed");
  const start = problems.slice(0, 1).map(link);
  if (failed > 1) return html`${failed} things to put right; start with ${start}.`;
  if (failed === 1) return html`One thing to put right: ${start}.`;
  if (count("pending") > 0) return html`Nothing has failed, but not everything is done yet: ${start}.`;
  if (count("unknown") === 0) return html`${nothingWrong(problems)}`;
  return html`Nothing has been seen to fail, but not everything could be seen: ${start}.`;
}

const link = (problem: Problem): Html =>
  html`<a href="#${findingId(0)}">${whose(problem)}</a
    >${problem.holdsUp === 0 ? "" : `, for which ${waiting(problem.holdsUp)}`}`;
