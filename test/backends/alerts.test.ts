/** What Prometheus itself says of the rules of `alerts` and of the page of `verify -o prometheus`. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { type Rule, rulesOf } from "../../mesh/alerts/rules";
import { ofAllMembers, QUERIES } from "../mesh/alerts/dashboard";
import { tool } from "./pipelines";

jest.setTimeout(600_000); // built here where it is not yet

const HOUR = 3600;
const namespace = "zero-trust-workload-identity-manager";
const cluster2 = "apps_cluster2_example_com";
const partner = "partner_example_com";

/** One peer that is asked for each minute, and one whose hint lets SPIRE ask four times an hour. */
const rules = rulesOf({
  member: "cluster1",
  caValidity: 24 * HOUR,
  peers: [
    { name: "cluster2", trustDomain: "apps.cluster2.example.com", refreshHint: 240 },
    { name: "partner", trustDomain: "partner.example.com", refreshHint: HOUR },
  ],
});

type Labels = Readonly<Record<string, string>>;
/** A series of one sample a minute, in promtool's notation: `_` is none. */
type Series = readonly [name: string, labels: Labels, values: string];

const polls = (peer: string, status: string, values: string): Series => [
  "bundle_manager_fetch_federated_bundle",
  { trust_domain_id: peer, status },
  values,
];
const caEnd = (values: string): Series => ["manager_x509_ca_rotate_expiration", {}, values];

const quarterly = (hours: number): string =>
  Array.from({ length: 4 * hours }, (_, index) => `${index + 1}x14`).join(" ");
/** Of twelve hours, but for what a fault says of the same. */
const WELL = [
  polls(cluster2, "OK", "1+1x720"),
  polls(partner, "OK", quarterly(12)),
  caEnd("86400x720"),
  ["datastore_bundle_set", { status: "OK" }, "1+1x720"],
] as const;

interface Fault {
  alert: string;
  name: string;
  /** In the place of the first series of WELL of the same name and peer, and beside the rest. */
  instead: readonly Series[];
  /** Labels that the alert has beside those of its rule. */
  labels?: Labels;
  /** Minutes from the start: not yet; fires; the first connection is refused. */
  quiet: number;
  fires: number;
  harm: number;
}

/**
 * A SPIRE server prepares its next root at half of its CA's life and signs with it when a sixth is left. So a peer that
 * was fetched last just before the one is no longer trusted at the other, a third of 24 hours later.
 */
const THIRD = 8 * 60;

const FAULTS: readonly Fault[] = [
  {
    alert: "SpireFederationPeerFailing",
    name: "polls fail",
    instead: [polls(cluster2, "OK", "1+1x20 21x700"), polls(cluster2, "Unknown", "_x20 1+1x700")],
    quiet: 20,
    fires: 40,
    harm: 20 + THIRD,
  },
  {
    alert: "SpireFederationPeerSilent",
    name: "a poll hangs",
    instead: [polls(cluster2, "OK", "1+1x20 21x700")],
    quiet: 40,
    fires: 55,
    harm: 20 + THIRD,
  },
  {
    alert: "SpireFederationPeerSilent",
    name: "SPIRE does not poll the peer",
    instead: [polls(cluster2, "OK", "_x720")],
    labels: { namespace, trust_domain_id: cluster2, status: "OK" },
    quiet: 10,
    fires: 20,
    harm: THIRD,
  },
  {
    alert: "SpireFederationPeerSilent",
    name: "a poll of a peer with a long hint hangs",
    instead: [polls(partner, "OK", `${quarterly(1)} 4x660`)],
    quiet: 400,
    fires: 420,
    harm: 60 + THIRD,
  },
  {
    alert: "SpireCaOverdue",
    name: "the CA is not replaced",
    instead: [caEnd("43200x720")],
    labels: { namespace },
    quiet: 540,
    fires: 550,
    harm: 720,
  },
  {
    alert: "SpireCaPreparationFails",
    name: "the next CA is not prepared",
    instead: [["ca_manager_x509_ca_prepare", { status: "Unknown" }, "_x10 1+6x700"]],
    quiet: 10,
    fires: 20,
    harm: 10 + THIRD,
  },
  {
    alert: "SpireBundleNotStored",
    name: "SPIRE's store refuses what was fetched",
    instead: [
      ["datastore_bundle_set", { status: "OK" }, "1+1x10 11x700"],
      ["datastore_bundle_set", { status: "Internal" }, "_x10 1+1x700"],
    ],
    quiet: 10,
    fires: 20,
    harm: 10 + THIRD,
  },
];

const written = ([name, labels]: Series): string =>
  `spire_server_${name}{${Object.entries({ namespace, ...labels })
    .map(([label, value]) => `${label}="${value}"`)
    .join(",")}}`;

const inputs = (instead: readonly Series[]): object[] => {
  const replaced = new Set(instead.map(written));
  return [...WELL.filter((one) => !replaced.has(written(one))), ...instead].map((one) => ({
    series: written(one),
    values: one[2],
  }));
};

/** The rule of the fault's peer. */
function ruleOf({ alert, instead }: Fault): Rule {
  const peer = instead[0]?.[1]["trust_domain_id"] ?? "";
  const found = rules.find((rule) => rule.alert === alert && rule.expr.includes(peer));
  if (found === undefined) throw new Error(`no rule ${alert} of ${peer}`);
  return found;
}

const at = (minute: number, alertname: string, ...exp_alerts: object[]): object => ({
  eval_time: `${minute}m`,
  alertname,
  exp_alerts,
});

const faultTest = (fault: Fault): object => {
  const { labels, annotations } = ruleOf(fault);
  return {
    name: fault.name,
    interval: "1m",
    input_series: inputs(fault.instead),
    alert_rule_test: [
      at(fault.quiet, fault.alert),
      at(fault.fires, fault.alert, { exp_labels: { ...labels, ...fault.labels }, exp_annotations: annotations }),
    ],
  };
};

/** The hour before the CA is replaced, in which a poll is lost now and then. */
const HEALTH = {
  name: "an hour of health",
  interval: "1m",
  input_series: inputs([
    caEnd(`${5 * HOUR}x60`),
    polls(cluster2, "Unknown", "_x10 1x20 2x30"),
    polls(partner, "Unknown", "_x7 1x53"),
  ]),
  alert_rule_test: rules.flatMap(({ alert }) => Array.from({ length: 61 }, (_, minute) => at(minute, alert))),
};

let dir: string;
let promtool: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "alerts-"));
  promtool = tool("promtool");
  writeFileSync(
    join(dir, "rules.yaml"),
    stringify({ groups: [{ name: "spire-federation", rules }] }, { lineWidth: 0 }),
  );
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** What promtool says; it throws with what is wrong. */
async function tested(...tests: object[]): Promise<string> {
  const file = { rule_files: ["rules.yaml"], evaluation_interval: "1m", tests };
  writeFileSync(join(dir, "test.yaml"), stringify(file, { lineWidth: 0, aliasDuplicateObjects: false }));
  const { stdout } = await promisify(execFile)(promtool, ["test", "rules", "test.yaml"], { cwd: dir });
  return stdout;
}

test("Prometheus takes the rules", () => {
  const said = execFileSync(promtool, ["check", "rules", "--lint-fatal", "rules.yaml"], { cwd: dir, encoding: "utf8" });
  expect(said).toContain(`SUCCESS: ${String(rules.length)} rules found`);
});

test.each(FAULTS)("$alert fires before harm: $name", async (fault) => {
  expect(fault.fires).toBeLessThan(fault.harm);
  expect(await tested(faultTest(fault))).toContain("SUCCESS");
});

test("each alert has a fault of which it warns", () => {
  expect(new Set(FAULTS.map(({ alert }) => alert))).toEqual(new Set(rules.map(({ alert }) => alert)));
});

test("none fires in an hour of health", async () => {
  expect(await tested(HEALTH)).toContain("SUCCESS");
});

test("Prometheus takes the page of metrics", () => {
  const input = readFileSync(join(__dirname, "../mesh/report/golden/3-faulty.prom"));
  expect(execFileSync(promtool, ["check", "metrics"], { input, encoding: "utf8" })).toBe("");
});

test("Prometheus takes the queries of the dashboard", () => {
  const recorded = QUERIES.map((query, index) => ({ record: `query:${index}`, expr: ofAllMembers(query) }));
  writeFileSync(join(dir, "queries.yaml"), stringify({ groups: [{ name: "dashboard", rules: recorded }] }));
  const said = execFileSync(promtool, ["check", "rules", "queries.yaml"], { cwd: dir, encoding: "utf8" });
  expect(said).toContain(`SUCCESS: ${QUERIES.length} rules found`);
});
