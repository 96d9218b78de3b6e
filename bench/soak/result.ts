import type { Counted } from "../load/traffic";

export interface Happened {
  name: string;
  seconds: number;
  /** By kind. */
  flows: Record<string, Counted>;
  /** What was refused and may not be. */
  wrong: string[];
}

export interface Soaked {
  minutes: number;
  seed: number;
  happened: Happened[];
  /** MiB after a quarter of the time, and at the end; undefined for one that runs no more. */
  memory: { program: string; before: number; after: number | undefined }[];
}
