/** Everything that was checked, folded, by member and by direction of trust. Pure. */
import { counted } from "../kernel/text";
import type { Outcome } from "../verify/check";
import { MARKS, pairName, type Verification, type VerifiedMember, type VerifiedPair } from "../verify/verification";
import { html, type Html, NOTHING } from "./html";
import { badge, type State, STATES, wordOf } from "./words";

/** Where the others were seen stands in docs/checks.md; who has to act wants it here. */
const SEEN_FROM: readonly Outcome["state"][] = ["failed", "warn", "note", "unknown"];

export function allChecks({ members, pairs }: Verification): Html {
  return html`<section class="checks" aria-labelledby="checks-title">
    <h2 id="checks-title">Everything that was checked</h2>
    ${members.map((member) =>
      ofMember(
        member,
        pairs.filter((pair) => pair.member === member.member),
      ),
    )}
  </section>`;
}

function ofMember(verified: VerifiedMember, pairs: readonly VerifiedPair[]): Html {
  const { member, trustDomain, bundleEndpointUrl, health, checks } = verified;
  const endpoint = bundleEndpointUrl === undefined ? "" : `, bundle endpoint ${bundleEndpointUrl}`;
  return html`<details>
    <summary><strong>${member}</strong> ${badge(health)} ${trusts(pairs)}</summary>
    <p class="aside">trust domain ${trustDomain}${endpoint}</p>
    ${group("itself", health, checks)} ${pairs.map((pair) => group(pairName(pair), pair.health, pair.checks))}
  </details>`;
}

function trusts(pairs: readonly VerifiedPair[]): Html {
  const states = STATES.flatMap((state) => {
    const count = pairs.filter(({ health }) => health === state).length;
    return count === 0 ? [] : [`${count} ${wordOf(state)}`];
  });
  return html`<span class="aside"
    >– trusts ${counted(pairs.length, "peer")}${states.length === 0 ? "" : `: ${states.join(", ")}`}</span
  >`;
}

function group(name: string, health: State, checks: readonly Outcome[]): Html {
  return html`<details>
    <summary>${name} ${badge(health)}</summary>
    <ul>
      ${checks.map(line)}
    </ul>
  </details>`;
}

function line({ state, code, title, evidence, source }: Outcome): Html {
  return html`<li class="check ${state}">
    <span class="mark" aria-hidden="true">${MARKS[state]}</span> <span class="code">${code}</span> ${title}:
    ${state === "ok" ? NOTHING : html`<strong>${state}:</strong>`} <span class="evidence">${evidence}</span>
    ${SEEN_FROM.includes(state) ? html`<span class="aside">seen from ${source}</span>` : NOTHING}
  </li>`;
}
