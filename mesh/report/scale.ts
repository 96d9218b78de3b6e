/** Where a point in time stands on the time line. Pure. */
import { DAY, HOUR, YEAR } from "./moments";

export interface Tick {
  /** Share of the line's width, 0 to 1. */
  at: number;
  label: string;
  /** There is room for it on a wide line only. */
  minor: boolean;
}

export interface Scale {
  /** Share of the line's width of a point in time; what lies outside is at its end. */
  place: (time: number) => number;
  now: number;
  ticks: Tick[];
}

/** What is over takes less room than what is still to come. */
const PAST = 0.45;

interface Mark {
  label: string;
  span: number;
  minor?: boolean;
}

const AHEAD: readonly Mark[] = [
  { label: "+6 h", span: 6 * HOUR, minor: true },
  { label: "+1 d", span: DAY },
  { label: "+7 d", span: 7 * DAY },
  { label: "+30 d", span: 30 * DAY, minor: true },
  { label: "+90 d", span: 90 * DAY },
  { label: "+1 y", span: YEAR, minor: true },
  { label: "+10 y", span: 10 * YEAR },
];
const BEHIND: readonly Mark[] = [
  { label: "−1 d", span: DAY, minor: true },
  { label: "−30 d", span: 30 * DAY },
  { label: "−1 y", span: YEAR, minor: true },
];

/**
 * Logarithmic in both directions from now: a CA of 24 hours and a certificate of 90 days are both legible.
 *
 * @param times all points that are to be shown
 */
export function scaleOf(now: number, times: readonly number[]): Scale {
  const furthest = (side: 1 | -1): number => Math.max(2 * DAY, ...times.map((time) => side * (time - now)));
  const [ahead, behind] = [furthest(1), furthest(-1)];
  const left = PAST * length(behind);
  const whole = left + length(ahead);
  const place = (time: number): number => {
    const way = time >= now ? length(time - now) : -PAST * length(now - time);
    return Math.min(1, Math.max(0, (left + way) / whole));
  };
  const tick =
    (side: 1 | -1) =>
    ({ label, span, minor = false }: Mark): Tick => ({ label, minor, at: place(now + side * span) });
  return {
    place,
    now: place(now),
    ticks: [
      ...BEHIND.filter(({ span }) => span <= behind).map(tick(-1)),
      ...AHEAD.filter(({ span }) => span <= ahead).map(tick(1)),
    ],
  };
}

const length = (span: number): number => Math.log1p(span / HOUR);
