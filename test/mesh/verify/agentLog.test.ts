import { agentCause } from "../../../mesh/verify/agentCauses";
import { attestingOf } from "../../../mesh/verify/agentLog";
import { FAILED_TO_ATTEST as FAILED, KUBELET_FORBIDS } from "./faults";
import { agentLine, NOW } from "./fixture";

const at = (secondsAgo: number): Date => new Date(NOW.getTime() - secondsAgo * 1000);
const attested = (secondsAgo: number, selectors: string): string =>
  agentLine(secondsAgo, "PID attested to have selectors", { pid: "7", selectors }, "debug");

test("a process that could not be attested, with the last reason", () => {
  const log = [
    agentLine(90, FAILED, { error: "x", pid: "7" }),
    // The kubelet ends its answer with a new line.
    agentLine(30, FAILED, { error: `${KUBELET_FORBIDS}\n`, pid: "7" }),
  ];
  expect(attestingOf(log.join("\n"))).toEqual({ failed: { at: at(30), error: KUBELET_FORBIDS } });
});

test("in a log of format json, too", () => {
  const fields = { time: at(30).toISOString(), level: "error", msg: FAILED, error: "x", pid: 7 };
  expect(attestingOf(JSON.stringify(fields))).toEqual({ failed: { at: at(30), error: "x" } });
});

test("what was attested since is no failure any more; what was attested without the kubelet is", () => {
  const failed = agentLine(90, FAILED, { error: "x", pid: "7" });
  expect(attestingOf([failed, attested(30, '[type:"unix" value:"uid:0"]')].join("\n"))).toHaveProperty("failed");
  expect(attestingOf([failed, attested(30, '[type:"k8s" value:"ns:default"]')].join("\n"))).toEqual({});
});

test("a process without an entry is no failure of the agent; one that could not be attested is said as that alone", () => {
  const none = agentLine(20, "No identity issued", { pid: "7", registered: "false" });
  expect(attestingOf(none)).toEqual({ unregistered: { at: at(20), pid: "7" } });
  const failed = agentLine(21, FAILED, { error: "x", pid: "7" });
  expect(attestingOf([failed, none].join("\n"))).toEqual({ failed: { at: at(21), error: "x" } });
});

test("a process that ended while it was attested says nothing", () => {
  const gone = 'workload attestor "k8s" failed: open /proc/4711/cgroup: no such file or directory';
  expect(attestingOf(agentLine(20, FAILED, { error: gone, pid: "4711" }))).toEqual({});
});

test.each([
  [KUBELET_FORBIDS, /nodes\/proxy/, /oc --context c auth can-i get nodes\/proxy/],
  [
    'unable to perform request: Get "https://node1:10250/pods": dial tcp: lookup node1 on 10.96.0.10:53: no such host',
    /name does not resolve/,
    /get node node1 -o wide/,
  ],
  [
    'unable to perform request: Get "https://node1:10250/pods": dial tcp 10.0.0.1:10250: i/o timeout',
    /not reach/,
    /10250/,
  ],
  [
    'unable to perform request: Get "https://node1:10250/pods": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    /serving certificate/,
    /workloadAttestorsVerification/,
  ],
  [
    "rpc error: code = DeadlineExceeded desc = no selectors found after max poll attempts",
    /not list the container/,
    /get pods -A/,
  ],
  ["something else", /cannot be attested/, /logs -l app\.kubernetes\.io\/name=spire-agent/],
])("%s", (error, cause, cure) => {
  const said = agentCause({ member: "m", context: "c" }, error, "node1");
  expect(said.cause).toMatch(cause);
  expect(said.cure).toMatch(cure);
});
