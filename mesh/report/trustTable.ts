/** Who trusts whom until when, as a table. Pure. */
import { counted } from "../kernel/text";
import type { Verification, VerifiedPair } from "../verify/verification";
import { html, type Html } from "./html";
import { distance, timeOf } from "./moments";
import { badge } from "./words";

/** Tables of up to this many rows are open from the start. */
const SHORT = 12;

export function trustTable({ pairs, at }: Verification): Html {
  const rows = html`<table class="trusts">
    <caption>
      Who trusts whom until when, if no newer root comes
    </caption>
    <thead>
      <tr>
        <th scope="col">Who</th>
        <th scope="col">trusts</th>
        <th scope="col">is</th>
        <th scope="col">until</th>
      </tr>
    </thead>
    <tbody>
      ${pairs.map((pair) => row(pair, at))}
    </tbody>
  </table>`;
  if (pairs.length === 0) return html`<p>Nobody trusts anybody.</p>`;
  if (pairs.length <= SHORT) return rows;
  return html`<details>
    <summary>As a table: who trusts whom until when (${counted(pairs.length, "direction")})</summary>
    ${rows}
  </details>`;
}

function row({ member, peer, health, trustedUntil }: VerifiedPair, at: string): Html {
  const until =
    trustedUntil === undefined
      ? html`no root seen`
      : html`${timeOf(trustedUntil)} <span class="aside">${distance(at, trustedUntil)}</span>`;
  return html`<tr>
    <th scope="row">${member}</th>
    <td>${peer}</td>
    <td>${badge(health)}</td>
    <td>${until}</td>
  </tr>`;
}
