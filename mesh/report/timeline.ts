/** How long certificates and roots still live: a line for each, and the same in words beside it. Pure. */
import type { Lifetime, Verification, VerifiedMember } from "../verify/verification";
import { html, type Html, NOTHING } from "./html";
import { type Scale, scaleOf } from "./scale";
import { distance, parseTime, timeOf } from "./moments";

export function timeline({ members, at }: Verification): Html {
  const now = parseTime(at);
  const lifetimes = members.flatMap((member) => member.lifetimes);
  const times = lifetimes
    .flatMap(({ notBefore, notAfter }) => [notBefore, notAfter])
    .flatMap((time) => parseTime(time) ?? []);
  const scale = now === undefined ? undefined : scaleOf(now, times);
  return html`<section aria-labelledby="lifetimes-title">
    <h2 id="lifetimes-title">What ends when</h2>
    ${
      lifetimes.length === 0
        ? html`<p>No certificate and no root was seen.</p>`
        : html`<table class="lifetimes">
            <caption>
              Lives of the endpoints’ certificates and of the trust domains’ X.509 roots, from the left. | is now, ◆
              when it will be renewed. The scale is finer near now.
            </caption>
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">
                  <div class="life">${scale === undefined ? NOTHING : axis(scale)}<span>Ends</span></div>
                </th>
              </tr>
            </thead>
            ${members.map((member) => group(member, at, scale))}
          </table>`
    }
  </section>`;
}

function group({ member, lifetimes }: VerifiedMember, at: string, scale: Scale | undefined): Html {
  const none = html`<tr>
    <td colspan="2">nothing was seen</td>
  </tr>`;
  return html`<tbody>
    <tr>
      <th scope="rowgroup" colspan="2">${member}</th>
    </tr>
    ${lifetimes.length === 0 ? none : lifetimes.map((lifetime) => row(lifetime, at, scale))}
  </tbody>`;
}

function row(lifetime: Lifetime, at: string, scale: Scale | undefined): Html {
  const { what, notAfter, renewal } = lifetime;
  const ended = isBefore(notAfter, at);
  const aside = [distance(at, notAfter), ...(renewal === undefined ? [] : [renewed(renewal, at)])].join("; ");
  return html`<tr>
    <th scope="row">${what}</th>
    <td>
      <div class="life">
        ${scale === undefined ? NOTHING : bar(lifetime, scale, ended)}
        <span>
          ${ended ? html`<strong>ended</strong> ` : NOTHING}${timeOf(notAfter)} <span class="aside">${aside}</span>
        </span>
      </div>
    </td>
  </tr>`;
}

function renewed(renewal: string, at: string): string {
  return `renewal ${isBefore(renewal, at) ? "was due " : ""}${distance(at, renewal)}`;
}

function isBefore(one: string, other: string): boolean {
  const [a, b] = [parseTime(one), parseTime(other)];
  return a !== undefined && b !== undefined && a < b;
}

function bar({ notBefore, notAfter, renewal }: Lifetime, { place, now }: Scale, ended: boolean): Html {
  const [from, to] = [parseTime(notBefore), parseTime(notAfter)];
  if (from === undefined || to === undefined) return html`<svg class="bar" aria-hidden="true"></svg>`;
  const mark = renewal === undefined ? undefined : parseTime(renewal);
  return html`<svg class="bar" aria-hidden="true">
    <rect
      class="${ended ? "over" : "lives"}"
      x="${percent(place(from))}"
      y="4"
      width="${percent(Math.max(0, place(to) - place(from)))}"
      height="12"
      rx="2"
    />
    <line class="now" x1="${percent(now)}" x2="${percent(now)}" y1="0" y2="20" />
    ${mark === undefined ? NOTHING : html`<text x="${percent(place(mark))}" y="10" dy="0.35em">◆</text>`}
  </svg>`;
}

function axis({ ticks, now }: Scale): Html {
  return html`<svg class="bar axis" aria-hidden="true">
    <text class="now" x="${percent(now)}" y="10" dy="0.35em">now</text>
    ${ticks.map(({ at, label, minor }) => html`<text class="${minor ? "minor" : "major"}" x="${percent(at)}" y="10" dy="0.35em">${label}</text>`)}
  </svg>`;
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10}%`;
