import fc from "fast-check";
import { type Holder, holders, lockId } from "../../../mesh/pulumi/lock";

const LOCK = "file:///srv/state/.pulumi/locks/organization/spire-federation/cluster1/0d6c.json";
const since = new Date("2026-11-25T01:02:03Z");
const holder: Holder = { lock: LOCK, pid: 4711, user: "ops", host: "bastion", since };

/** As pulumi/pulumi's backend/diy/lock.go writes it. */
function locked(...by: Holder[]): string {
  return [
    `error: the stack is currently locked by ${String(by.length)} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.`,
    ...by.map(
      ({ lock, user, host, pid, since: at }) =>
        `  ${lock}: created by ${user}@${host} (pid ${String(pid)}) at ${at.toISOString().replace(".000", "")}`,
    ),
  ].join("\n");
}

describe("holders of a lock", () => {
  const words = fc.stringMatching(/^[a-z][a-z0-9.@-]{0,20}$/);
  const hosts = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
  const seconds = fc.integer({ min: 0, max: 4e9 }).map((n) => new Date(n * 1000));
  const any = fc.record({
    lock: fc.uuid().map((id) => LOCK.replace("0d6c", id)),
    pid: fc.nat(),
    user: words,
    host: hosts,
    since: seconds,
  });

  test("are all that Pulumi names, once, though the Automation API says it all twice", () => {
    fc.assert(
      fc.property(fc.uniqueArray(any, { selector: ({ lock }) => lock }), (all) => {
        const said = locked(...all);
        expect(holders(`code: -2\n stderr: ${said}\n err?: Error: ${said}\n`)).toEqual(all);
      }),
    );
  });

  test("are told the time in any zone", () => {
    expect(holders(`  ${LOCK}: created by ops@bastion (pid 4711) at 2026-11-25T03:02:03+02:00`)).toEqual([holder]);
  });

  test("are nobody when the backend does not say", () => {
    expect(holders("error: [409] Conflict: Another update is currently in progress.")).toEqual([]);
  });
});

test("a lock is told apart by its id, wherever its backend is", () => {
  expect(
    [LOCK, "s3://bucket/p/.pulumi/locks/organization/p/s/0d6c.json?region=x"].map((lock) => lockId({ lock })),
  ).toEqual(["0d6c.json", "0d6c.json"]);
});
