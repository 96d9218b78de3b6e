/** What deploy/grafana/federation.json asks Prometheus. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Panel {
  title: string;
  gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  targets: { expr: string }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: { query: string | { query: string } }[] };
}

const dashboard = JSON.parse(
  readFileSync(join(__dirname, "../../../deploy/grafana/federation.json"), "utf8"),
) as Dashboard;

export const PANELS: readonly Panel[] = dashboard.panels;
export const QUERIES: readonly string[] = PANELS.flatMap(({ targets }) => targets.map(({ expr }) => expr));
/** Of the variables that ask Prometheus; the other is the choice of a data source. */
export const VARIABLES: readonly string[] = dashboard.templating.list.flatMap(({ query }) =>
  typeof query === "string" ? [] : [query.query],
);

/** Of this project's metrics and of SPIRE's. */
export const namesIn = (query: string): string[] => query.match(/\bspire_\w+/g) ?? [];

/** As Grafana asks it with all members chosen. */
export const ofAllMembers = (query: string): string => query.replaceAll("$member", ".*");
