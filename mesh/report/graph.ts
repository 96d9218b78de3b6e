/** Who trusts whom, as a picture: members on a circle, one arrow for each direction. Pure. */
import { counted } from "../kernel/text";
import { pairName, type Verification, type VerifiedPair } from "../verify/verification";
import { html, type Html, NOTHING } from "./html";
import { along, type Curve, curve, type Layout, layout, type NodePlace, type Point } from "./graphLayout";
import { PAGE_MARKS, type State, STATES, wordOf } from "./words";

interface Node {
  name: string;
  state: State;
  place: NodePlace;
}

/** Up to this many members every arrow bears its mark; with more the picture would be nothing but marks. */
const FEW = 4;
/** These bear it always. */
const ACTED_ON: readonly State[] = ["unhealthy", "pending"];
/** Longer names are shortened in the picture. */
const NAME_LENGTH = 18;

export function graph(verification: Verification): Html {
  const names = namesOf(verification);
  const around = layout(names.length);
  const { width, height, radius, places } = around;
  const nodes = names.flatMap(([name, state], index) => {
    const place = places[index];
    return place === undefined ? [] : [{ name, state, place }];
  });
  return html`<svg
    class="${names.length <= FEW ? "graph" : "graph many"}"
    role="img"
    aria-labelledby="graph-title graph-desc"
    viewBox="0 0 ${rounded(width)} ${rounded(height)}"
    width="${rounded(width)}"
    height="${rounded(height)}"
  >
    <title id="graph-title">Who trusts whom</title>
    <desc id="graph-desc">${describe(verification)}</desc>
    <defs>${STATES.map((state) => arrowHead(state, names.length <= FEW ? 10 : 7))}</defs>
    ${edges(verification.pairs, nodes, around)} ${nodes.map((node) => circle(node, radius))}
  </svg>`;
}

/** Members in their order, then peers that were not looked at themselves. */
function namesOf({ members, pairs, peers }: Verification): [string, State][] {
  const states = new Map<string, State>([
    ...members.map(({ member, health }) => [member, health] as const),
    ...peers.map(({ peer, health }) => [peer, health] as const),
  ]);
  for (const { member, peer } of pairs) {
    for (const name of [member, peer]) if (!states.has(name)) states.set(name, "unseen");
  }
  return [...states];
}

function describe({ members, pairs }: Verification): string {
  const states = STATES.flatMap((state) => {
    const ofState = pairs.filter(({ health }) => health === state);
    const named = ACTED_ON.includes(state) ? ` (${ofState.map(pairName).join(", ")})` : "";
    return ofState.length === 0 ? [] : [`${ofState.length} ${wordOf(state)}${named}`];
  });
  const directions = [`${counted(pairs.length, "direction")} of trust`, states.join(", ")].filter(
    (text) => text !== "",
  );
  return `${counted(members.length, "member")}, ${directions.join(": ")}. The table after this says the same, and until when.`;
}

/** What is worst lies on top. */
function edges(pairs: readonly VerifiedPair[], nodes: readonly Node[], around: Layout): Html[] {
  const few = nodes.length <= FEW;
  const places = new Map(nodes.map(({ name, place }) => [name, place]));
  const worstLast = [...pairs].sort((a, b) => STATES.indexOf(b.health) - STATES.indexOf(a.health));
  return worstLast.flatMap((pair) => {
    const [from, to] = [places.get(pair.member), places.get(pair.peer)];
    if (from === undefined || to === undefined || from === to) return [];
    const way = curve(from, to, around);
    return edge(pair, way, few || ACTED_ON.includes(pair.health));
  });
}

function edge(pair: VerifiedPair, way: Curve, marked: boolean): Html {
  const { health } = pair;
  const middle = along(way, 0.36); // nearer to who trusts, so that the marks of arrows that cross don't meet
  const path = `M${point(way.from)} Q${point(way.bend)} ${point(way.to)}`;
  return html`<g class="edge ${health}">
    <title>${pairName(pair)}: ${wordOf(health)}</title>
    <path d="${path}" marker-end="url(#head-${health})" />
    ${marked ? sign(middle, health) : NOTHING}
  </g>`;
}

const sign = (at: Point, state: State): Html =>
  html`<circle cx="${rounded(at.x)}" cy="${rounded(at.y)}" r="9" /><text
      x="${rounded(at.x)}"
      y="${rounded(at.y)}"
      dy="0.35em"
      >${PAGE_MARKS[state]}</text
    >`;

function circle({ name, state, place: { x, y, name: label } }: Node, radius: number): Html {
  return html`<g class="node ${state}">
    <title>${name}: ${wordOf(state)}</title>
    <circle cx="${rounded(x)}" cy="${rounded(y)}" r="${radius}" />
    <text class="sign" x="${rounded(x)}" y="${rounded(y)}" dy="0.35em">${PAGE_MARKS[state]}</text>
    <text class="name" x="${rounded(label.x)}" y="${rounded(label.y)}" text-anchor="${label.anchor}"
      >${shortened(name)}</text
    >
    <text x="${rounded(label.x)}" y="${rounded(label.y + 16)}" text-anchor="${label.anchor}">${wordOf(state)}</text>
  </g>`;
}

function arrowHead(state: State, size: number): Html {
  return html`<marker
    id="head-${state}"
    class="head ${state}"
    viewBox="0 0 10 10"
    refX="9"
    refY="5"
    markerWidth="${size}"
    markerHeight="${size}"
    markerUnits="userSpaceOnUse"
    orient="auto"
    ><path d="M0 0 L10 5 L0 10 z"
  /></marker>`;
}

/** What the lines mean, with how many there are of each. */
export function legend({ pairs }: Verification): Html {
  const present = STATES.filter((state) => pairs.some(({ health }) => health === state));
  return html`<ul class="legend">
    ${present.map((state) => {
      const count = pairs.filter(({ health }) => health === state).length;
      return html`<li>
        <svg aria-hidden="true" width="60" height="20" viewBox="0 0 60 20">
          <g class="edge ${state}">
            <path d="M1 10 H59" />
            ${sign({ x: 30, y: 10 }, state)}
          </g>
        </svg>
        ${wordOf(state)}: ${count}
      </li>`;
    })}
  </ul>`;
}

/** Beginning and end are kept: names of one mesh often differ only there. */
function shortened(name: string): string {
  if (name.length <= NAME_LENGTH) return name;
  const half = NAME_LENGTH / 2;
  return `${name.slice(0, half)}…${name.slice(1 - half)}`;
}

const rounded = (length: number): number => Math.round(length * 10) / 10;
const point = ({ x, y }: Point): string => `${rounded(x)} ${rounded(y)}`;
