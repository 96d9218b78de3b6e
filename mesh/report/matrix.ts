/** Who trusts whom among many: a row for each member, and a column for each whom it may trust. Pure. */
import { pairName, type Verification, type VerifiedPair } from "../verify/verification";
import { html, type Html } from "./html";
import { PAGE_MARKS, wordOf } from "./words";

export function matrix({ members, pairs }: Verification): Html {
  const names = [...new Set([...members.map(({ member }) => member), ...pairs.map(({ peer }) => peer)])];
  const found = new Map(pairs.map((pair) => [JSON.stringify([pair.member, pair.peer]), pair]));
  return html`<div class="matrix" role="region" tabindex="0" aria-label="Who trusts whom">
    <table>
      <caption>
        Each row is one who trusts, each column one who is trusted, by its number
      </caption>
      <thead>
        <tr>
          <th scope="col">Who</th>
          ${names.map((name, index) => html`<th scope="col"><abbr title="${name}">${index + 1}</abbr></th>`)}
        </tr>
      </thead>
      <tbody>
        ${members.map(
          ({ member }) =>
            html`<tr>
              <th scope="row">${names.indexOf(member) + 1} ${member}</th>
              ${names.map((peer) => cell(found.get(JSON.stringify([member, peer]))))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function cell(pair: VerifiedPair | undefined): Html {
  if (pair === undefined) return html`<td></td>`;
  const { health, trustedUntil } = pair;
  const until = trustedUntil === undefined ? "" : `, until ${trustedUntil}`;
  return html`<td class="${health}">
    <abbr title="${pairName(pair)}: ${wordOf(health)}${until}">${PAGE_MARKS[health]}</abbr>
  </td>`;
}
