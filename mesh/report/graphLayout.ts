/** Where members stand in the graph, and which way the arrows between them go. Pure. */

export interface Point {
  x: number;
  y: number;
}

export interface NodePlace extends Point {
  /** Where the name begins, is centred or ends, and on which line. */
  name: Point & { anchor: "start" | "middle" | "end" };
}

export interface Layout {
  width: number;
  height: number;
  /** Of a member's circle. */
  radius: number;
  /** Of the circle, where arrows would lead through members between their ends if they didn't bend towards it. */
  centre: Point | undefined;
  places: NodePlace[];
}

/** Up to this many stand far enough apart for large circles with the name above or below. */
const FEW = 6;
const NAME_WIDTH = 136;
/** Two lines: the name and the state. */
const NAME_HEIGHT = 36;
/** How far an arrow bends aside, in lengths of the line between its ends; it itself goes half as far. */
const BEND = 0.22;

/** Around a circle, the first one on top; two side by side, four in a square, one in the middle. */
export function layout(count: number): Layout {
  const radius = count <= FEW ? 22 : 14;
  const orbit = count <= 1 ? 0 : Math.max(count <= 3 ? 112 : 130, 12 * count);
  const first = count === 2 ? Math.PI : count === 4 ? -0.75 * Math.PI : -0.5 * Math.PI;
  const steep = count <= 2 ? 0 : count <= FEW ? 0.45 : 0.97;
  const places = Array.from({ length: count }, (_, index) =>
    placeAt(first + (2 * Math.PI * index) / count, orbit, radius, steep),
  );
  // The arrows between two leave the line between them.
  const reach = count === 2 ? orbit * BEND + 10 : radius;
  const boxes = places.map((place) => boxOf(place, reach));
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const move = ({ x, y }: Point): Point => ({ x: x - left, y: y - top });
  return {
    width: Math.max(...boxes.map(({ right }) => right)) - left,
    height: Math.max(...boxes.map(({ bottom }) => bottom)) - top,
    radius,
    centre: count <= 4 ? undefined : move({ x: 0, y: 0 }),
    places: places.map((place) => ({ ...move(place), name: { ...place.name, ...move(place.name) } })),
  };
}

/** @param steep from which sine on the name stands above or below, and not beside; 0: always below */
function placeAt(angle: number, orbit: number, radius: number, steep: number): NodePlace {
  const [x, y] = [orbit * Math.cos(angle), orbit * Math.sin(angle)];
  if (Math.abs(Math.sin(angle)) >= steep) {
    const above = steep > 0 && y < 0;
    return { x, y, name: { x, y: above ? y - radius - 24 : y + radius + 17, anchor: "middle" } };
  }
  const side = Math.sign(Math.cos(angle));
  return { x, y, name: { x: x + side * (radius + 7), y: y - 2, anchor: side > 0 ? "start" : "end" } };
}

function boxOf({ x, y, name }: NodePlace, radius: number): Record<"left" | "right" | "top" | "bottom", number> {
  const left = { start: 0, middle: NAME_WIDTH / 2, end: NAME_WIDTH }[name.anchor];
  return {
    left: Math.min(x - radius, name.x - left) - 2,
    right: Math.max(x + radius, name.x - left + NAME_WIDTH) + 2,
    top: Math.min(y - radius, name.y - 14) - 2,
    bottom: Math.max(y + radius, name.y + NAME_HEIGHT - 14) + 2,
  };
}

/** A quadratic curve from the edge of one circle to that of another. */
export interface Curve {
  from: Point;
  bend: Point;
  to: Point;
}

/** Between a circle and an arrow's end. */
const GAP = 3;

/** Bends to its left, so that the one the other way has a line of its own. */
export function curve(from: Point, to: Point, { radius, centre }: Pick<Layout, "radius" | "centre">): Curve {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const left = { x: (from.x + to.x) / 2 + dy * BEND, y: (from.y + to.y) / 2 - dx * BEND };
  const bend = centre === undefined ? left : add(left, pull(from, to, centre));
  return { from: towards(from, bend, radius + GAP), bend, to: towards(to, bend, radius + GAP) };
}

/** The point that is a share of the way along. */
export function along({ from, bend, to }: Curve, share: number): Point {
  const rest = 1 - share;
  const at = (axis: "x" | "y"): number =>
    rest * rest * from[axis] + 2 * rest * share * bend[axis] + share * share * to[axis];
  return { x: at("x"), y: at("y") };
}

function towards(from: Point, to: Point, length: number): Point {
  const share = length / Math.hypot(to.x - from.x, to.y - from.y);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Most for neighbours, nothing for those that face each other, and the same both ways. */
function pull(from: Point, to: Point, centre: Point): Point {
  const share =
    (2 * BEND * Math.hypot(to.x - from.x, to.y - from.y)) / Math.hypot(centre.x - from.x, centre.y - from.y);
  return { x: (centre.x - (from.x + to.x) / 2) * share, y: (centre.y - (from.y + to.y) / 2) * share };
}

const add = (one: Point, other: Point): Point => ({ x: one.x + other.x, y: one.y + other.y });
