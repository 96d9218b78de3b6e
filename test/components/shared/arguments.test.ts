import fc from "fast-check";
import {
  checkCaCertificates,
  checkCertificateTimes,
  checkDuration,
  checkEmail,
  checkHost,
  checkHttpsUrl,
  checkName,
  checkSeconds,
  checkTrustDomain,
  FILE_SYNC_INTERVAL,
  formatDuration,
  parseDuration,
  REFRESH_HINT,
  splitPem,
} from "../../../components/shared/arguments";
import { checkPeer, checkPeers, checkPeerCount, MAX_PEERS } from "../../../components/bundle/checkPeer";
import type { Peer } from "../../../components/bundle/peer";
import type { Problem } from "../../../components/shared/problem";
import { issue } from "../issue";

const ca = issue("web CA", { ca: true });
const leaf = issue("federation.apps.cluster2.example.com", { issuer: ca });

const web: Peer = {
  stack: "cluster2",
  trustDomain: "apps.cluster2.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
  profile: "https_web",
};
const spiffe: Peer = {
  ...web,
  profile: "https_spiffe",
  endpointSpiffeId: "spiffe://apps.cluster2.example.com/spire/server",
  caCertificates: ca.pem,
};

const paths = (problems: Problem[]): string[] => problems.map(({ path }) => path);

/** URL parsers take them, and SPIRE or a terminal reads something else in them. */
const HOSTILE_URLS = [
  "https://evil.example/${HTTPS_PROXY}",
  "https://evil.example/$HOME",
  "https://evil.example/\u001b[2J",
  "https://evil.example/\u202e",
  "https://evil.example/\u0000",
  "https://evil.example\\@good.example/",
  "https://good.example#@evil.example",
  "https://good.example/?x=1",
  "https://good.example/#",
  "https://@good.example",
  "https://gооd.example",
  "https://good.example:99999",
  "https://good.example/%2e",
  "https://good.example/\n",
  "HTTPS://good.example",
];

describe("single values", () => {
  const table: [string, (path: string, value: string) => Problem[], string[], string[]][] = [
    [
      "trust domain",
      checkTrustDomain,
      ["apps.cluster1.example.com", "a", "a_b-c.d", "x".repeat(255)],
      ["", "Apps.example.com", "spiffe://a", "a/b", "a b", "x".repeat(256), "a\n"],
    ],
    [
      "host",
      checkHost,
      ["federation.apps.cluster1.example.com", "a.b", `${"x".repeat(63)}.example.com`],
      ["", "localhost", "A.example.com", "-a.example.com", "a..b", `${"x".repeat(64)}.example.com`, "a.b/c", "a_b.c"],
    ],
    [
      "https URL",
      checkHttpsUrl,
      [
        "https://federation.apps.cluster1.example.com",
        "https://a.b:8443/path",
        "https://a/",
        "https://[::1]:8443/a~b/.x_-",
      ],
      [
        "",
        "http://a.b",
        "a.b",
        "https://",
        "https://user:pw@a.b",
        "https://a.b/ c",
        "file:///etc/passwd",
        ...HOSTILE_URLS,
      ],
    ],
    ["name", checkName, ["internal-ca", "a.b-c", "x"], ["", "Internal", "-a", "a_b", "a.", "x".repeat(254)]],
    ["e-mail address", checkEmail, ["ops@example.com"], ["", "ops", "ops@", "@example.com", "a b@example.com", "a@b"]],
    [
      "duration",
      checkDuration,
      ["2160h", "1h30m", "90m", "45s", "1h0m1s"],
      ["", "90d", "h", "1.5h", "-1h", "30m1h", "1h ", "24"],
    ],
  ];
  it.each(table)("accepts what is a %s and refuses what is none, by its path", (_, check, good, bad) => {
    expect(good.flatMap((value) => check("the.path", value))).toEqual([]);
    expect(bad.map((value) => paths(check("the.path", value)))).toEqual(bad.map(() => ["the.path"]));
  });

  it.each([
    ["refreshHint", REFRESH_HINT],
    ["fileSyncInterval", FILE_SYNC_INTERVAL],
  ])("keeps %s within the CRD's bounds", (_, bounds) => {
    for (const value of [bounds.min, bounds.max, bounds.default]) {
      expect(checkSeconds("p", value, bounds)).toEqual([]);
    }
    for (const value of [bounds.min - 1, bounds.max + 1, bounds.min + 0.5, Number.NaN]) {
      expect(paths(checkSeconds("p", value, bounds))).toEqual(["p"]);
    }
  });
});

describe("durations", () => {
  it("are written as Go writes them, which the API server gives back", () => {
    expect(["24h", "1h", "5m", "90m", "45s", "0s"].map((text) => formatDuration(parseDuration(text) ?? -1))).toEqual([
      "24h0m0s",
      "1h0m0s",
      "5m0s",
      "1h30m0s",
      "45s",
      "0s",
    ]);
  });

  it("survive being written and read", () => {
    fc.assert(fc.property(fc.nat(), (seconds) => parseDuration(formatDuration(seconds)) === seconds));
  });

  it("are numbers or nothing, whatever is written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d*[hms]\d*[hms]?$/)), (text) => {
        const seconds = parseDuration(text);
        expect(seconds === undefined || Number.isSafeInteger(seconds)).toBe(true);
      }),
    );
  });
});

describe("a certificate's times", () => {
  const times = { duration: "2160h", renewBefore: "360h", renewJitterHours: 0 };

  it.each<[string, object, string[]]>([
    ["are the procedure's", {}, []],
    ["spread the renewal", { renewJitterHours: 1799 }, []],
    ["renew when it has ended", { renewBefore: "2160h" }, ["renewBefore"]],
    ["spread the renewal to its whole life", { renewJitterHours: 1800 }, ["renewBefore"]],
    ["are below cert-manager's hour", { duration: "59m", renewBefore: "10m" }, ["duration"]],
    ["renew in less than five minutes", { renewBefore: "4m59s" }, ["renewBefore"]],
    ["are no durations", { duration: "90d", renewBefore: "x" }, ["duration", "renewBefore"]],
    ["have a part of an hour", { renewJitterHours: 0.5 }, ["renewJitterHours"]],
    ["have less than no hour", { renewJitterHours: -1 }, ["renewJitterHours"]],
    ["are wrong together", { duration: "x", renewJitterHours: -1 }, ["duration", "renewJitterHours"]],
  ])("%s", (_, changed, expected) => {
    expect(paths(checkCertificateTimes({ ...times, ...changed }))).toEqual(expected);
  });

  it("are named as the caller names them", () => {
    expect(paths(checkCertificateTimes({ ...times, duration: "x" }, "issuer."))).toEqual(["issuer.duration"]);
  });
});

describe("CA certificates", () => {
  it("are taken, one or more", () => {
    expect(checkCaCertificates("ca", ca.pem)).toEqual([]);
    expect(splitPem(`# root\n${ca.pem}\n${ca.pem}`)).toHaveLength(2);
    expect(checkCaCertificates("ca", `${ca.pem}${ca.pem}`)).toEqual([]);
  });

  it.each([
    ["a private key", `${ca.pem}${ca.keyPem}`, "private key"],
    ["nothing", "", "no certificate"],
    ["text", "hello", "no certificate"],
    ["a broken certificate", ca.pem.replace(/M[^\n]*\n/, ""), "certificate 1 cannot be read"],
    ["a leaf", `${ca.pem}${leaf.pem}`, "certificate 2 is not a CA's"],
  ])("are refused with %s", (_, pem, message) => {
    expect(checkCaCertificates("ca", pem).map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

describe("a peer", () => {
  it.each<[string, Peer, string[]]>([
    ["of https_web", web, []],
    ["of https_web with its own CA", { ...web, caCertificates: ca.pem }, []],
    ["of https_spiffe", spiffe, []],
    [
      "with nothing right",
      { ...web, trustDomain: "Bad", bundleEndpointUrl: "http://x", caCertificates: "", endpointSpiffeId: "x" },
      ["peer.trustDomain", "peer.bundleEndpointUrl", "peer.caCertificates", "peer.endpointSpiffeId"],
    ],
    [
      "of https_spiffe without its ID and roots",
      { ...web, profile: "https_spiffe" },
      ["peer.endpointSpiffeId", "peer.caCertificates"],
    ],
    [
      "with an ID of another trust domain",
      { ...spiffe, endpointSpiffeId: "spiffe://apps.cluster2.example.com.evil/spire/server" },
      ["peer.endpointSpiffeId"],
    ],
  ])("%s", (_, peer, expected) => {
    expect(paths(checkPeer("peer", peer))).toEqual(expected);
  });
});

test("a SPIFFE ID has 2048 characters at most", () => {
  const id = (length: number): string => spiffe.endpointSpiffeId?.padEnd(length, "x") ?? "";
  expect(paths(checkPeer("peer", { ...spiffe, endpointSpiffeId: id(2048) }))).toEqual([]);
  expect(paths(checkPeer("peer", { ...spiffe, endpointSpiffeId: id(2049) }))).toEqual(["peer.endpointSpiffeId"]);
});

describe("peers together", () => {
  const peer = (index: number): Peer => ({ ...web, stack: `c${index}`, trustDomain: `c${index}.example.com` });

  it("are as many as the CRD takes, where the SpireServer lists them", () => {
    expect(checkPeerCount("peers", MAX_PEERS)).toEqual([]);
    expect(paths(checkPeerCount("peers", MAX_PEERS + 1))).toEqual(["peers"]);
    expect(checkPeerCount("peers", MAX_PEERS + 1, "dynamic")).toEqual([]);
  });

  it("are not this cluster, and no trust domain twice", () => {
    const problems = checkPeers("peers", "own.example.com", [
      peer(1),
      { ...peer(2), trustDomain: "own.example.com" },
      { ...peer(3), trustDomain: "c1.example.com" },
    ]);
    expect(paths(problems)).toEqual(["peers[1]", "peers[2]"]);
    expect(problems[1]?.message).toContain('peer "c1"');
  });
});

describe("the SPIFFE ID of an endpoint", () => {
  const problems = (endpointSpiffeId: string): string[] =>
    checkPeer("peer", {
      stack: "cluster2",
      trustDomain: "apps.cluster2.example.com",
      bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
      profile: "https_spiffe",
      caCertificates: "none",
      endpointSpiffeId,
    }).flatMap(({ path, message }) => (path === "peer.endpointSpiffeId" ? [message] : []));

  it.each(["/spire/server", "/a", "/...", "/A-b_c.d/e"])("may have path %s", (path) => {
    expect(problems(`spiffe://apps.cluster2.example.com${path}`)).toEqual([]);
  });

  it.each([
    "",
    "/",
    "/a/",
    "//a",
    "/a//b",
    "/..",
    "/./a",
    "/a/..",
    "/${X}",
    "/a?b",
    "/a#b",
    "/\u001b",
    "/\u202e",
    "/ä",
  ])("is refused with path %j, and the message shows nothing raw", (path) => {
    const [message] = problems(`spiffe://apps.cluster2.example.com${path}`);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });

  it("is refused where it is of another trust domain", () => {
    expect(problems("spiffe://apps.cluster2.example.com.evil/a")).toHaveLength(1);
    expect(problems("spiffe://evil/a")).toHaveLength(1);
  });
});
