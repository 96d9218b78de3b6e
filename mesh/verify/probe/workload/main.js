// @ts-check
"use strict";
/**
 * The workload of `spire-federation verify --probe`: fetches its SVID, serves over mTLS and dials its peers until each has been met,
 * and prints a line of JSON for whatever changes. It goes on serving until it is ended: peers may be later than it.
 */
const { readFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { dial, serve } = require("./mtls");
const { watchIdentities } = require("./workloadApi");

/**
 * @typedef {object} Config
 * @property {string} socket of the Workload API
 * @property {number} port
 * @property {string} id the SPIFFE ID that this workload is to get
 * @property {(import("./mtls").Peer & { name: string })[]} peers
 */

const AGAIN_MS = 1000;

/** @type {Config} */
const { socket, port, id, peers } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));

/** @type {Map<string, string>} */
const said = new Map();

/** @param {string} about @param {object} what */
function say(about, what) {
  const line = JSON.stringify(what);
  if (said.get(about) !== line) process.stdout.write(`${line}\n`);
  said.set(about, line);
}

/** @type {import("./mtls").Identity | undefined} */
let identity;
/** @type {ReturnType<typeof serve> | undefined} */
let server;

function watch() {
  watchIdentities(
    socket,
    ({ svids, bundles }) => {
      const svid = svids.find((one) => one.id === id);
      const given = svids.map((one) => one.id);
      if (svid === undefined)
        return say("identity", { event: "no-identity", why: `the agent gives ${given.join(", ")}` });
      say("identity", { event: "identity", id, bundles: [...bundles.keys()].sort() });
      const first = identity === undefined;
      identity = { svid, bundles };
      if (server === undefined)
        server = serve(
          identity,
          peers.map((peer) => peer.id),
          port,
        );
      else server.update(identity);
      if (first) for (const peer of peers) void meet(peer);
    },
    (why) => {
      // Of an identity that it has, an agent that is restarted takes nothing away.
      if (identity === undefined) say("identity", { event: "no-identity", why });
      setTimeout(watch, AGAIN_MS);
    },
  );
}

/** @param {Config["peers"][number]} peer */
async function meet(peer) {
  for (;;) {
    if (identity === undefined) return;
    const dialed = await dial(identity, peer);
    say(peer.name, { event: "dialed", peer: peer.name, ...dialed });
    if (dialed.outcome === "met") return;
    await sleep(AGAIN_MS);
  }
}

// The first process of a container ends by no signal that it doesn't handle.
process.on("SIGTERM", () => process.exit(0));
watch();
