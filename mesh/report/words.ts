/** States and names as the page says them: always a mark and a word, never a colour alone. Pure. */
import { type Health, HEALTH_MARKS } from "../verify/verification";
import { html, type Html } from "./html";

/** `unseen` is a peer that was not looked at itself. */
export type State = Health | "unseen";

export const PAGE_MARKS: Readonly<Record<State, string>> = { ...HEALTH_MARKS, unseen: "–" };

export const wordOf = (state: State): string => (state === "unseen" ? "not looked at" : state);

/** In which order the page tells of them: who has to act comes first. */
export const STATES: readonly State[] = ["unhealthy", "pending", "unknown", "healthy", "unseen"];

/** The mark and the word; a screen reader hears only the word. */
export function badge(state: State): Html {
  return html`<span class="badge ${state}"
    ><span class="mark" aria-hidden="true">${PAGE_MARKS[state]}</span> ${wordOf(state)}</span
  >`;
}
