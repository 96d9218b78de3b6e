import { along, type Curve, curve, layout, type Point } from "../../../mesh/report/graphLayout";

const COUNTS = Array.from({ length: 20 }, (_, index) => index + 1);
const length = (one: Point, other: Point): number => Math.hypot(one.x - other.x, one.y - other.y);
const shares = Array.from({ length: 21 }, (_, index) => index / 20);

const least = (lengths: readonly number[]): number => lengths.reduce((one, other) => Math.min(one, other), Infinity);

/** As the graph draws them. */
function arrows(count: number): { way: Curve; back: Curve; others: Point[] }[] {
  const around = layout(count);
  const { places } = around;
  return places.flatMap((from) =>
    places
      .filter((to) => to !== from)
      .map((to) => ({
        way: curve(from, to, around),
        back: curve(to, from, around),
        others: places.filter((place) => place !== from && place !== to),
      })),
  );
}

it.each(COUNTS)("keeps %d members and their names apart and inside the picture", (count) => {
  const { places, radius, width, height } = layout(count);
  expect(places).toHaveLength(count);
  for (const [index, place] of places.entries()) {
    for (const other of places.slice(0, index)) {
      expect(length(place, other)).toBeGreaterThan(2 * radius + 10);
      expect(length(place.name, other.name)).toBeGreaterThan(16);
    }
    for (const [at, end] of [
      [place.x, width],
      [place.y, height],
    ] as const) {
      expect(at).toBeGreaterThan(radius);
      expect(at).toBeLessThan(end - radius);
    }
  }
});

it.each(COUNTS)("leads no arrow of %d members through anybody between its ends, nor out of the picture", (count) => {
  const { radius, width, height } = layout(count);
  const points = arrows(count).flatMap(({ way, others }) =>
    shares.map((share) => along(way, share)).map((point) => ({ ...point, others })),
  );
  const nearest = points.flatMap((point) => point.others.map((other) => length(point, other)));
  const edges = points.flatMap(({ x, y }) => [x, y, width - x, height - y]);
  expect(least(nearest)).toBeGreaterThan(radius);
  expect(least(edges)).toBeGreaterThan(0);
});

it.each(COUNTS)("keeps the two directions between two of %d members apart", (count) => {
  expect(least(arrows(count).map(({ way, back }) => length(along(way, 0.5), along(back, 0.5))))).toBeGreaterThan(10);
});

it("points an arrow at the edge of the circle that it leads to", () => {
  const { from, to } = curve({ x: 0, y: 0 }, { x: 200, y: 0 }, { radius: 20, centre: undefined });
  expect(length(from, { x: 0, y: 0 })).toBeCloseTo(23);
  expect(length(to, { x: 200, y: 0 })).toBeCloseTo(23);
});
