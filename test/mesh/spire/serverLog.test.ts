import { logOf } from "../../../mesh/spire/serverLog";

const text = (minute: number, rest: string): string => `time="2026-11-27T06:${minute}:40.08Z" ${rest}`;
const json = (minute: number, fields: object): string =>
  JSON.stringify({ time: `2026-11-27T06:${minute}:40.08Z`, ...fields });
const at = (minute: number): Date => new Date(`2026-11-27T06:${minute}:40.08Z`);

const LOGS = {
  text: [
    text(10, 'level=info msg="Bundle refreshed" subsystem_name=bundle_client trust_domain=one'),
    text(11, 'level=error msg="Error updating bundle" error="failed: Get \\"https://x\\": refused" trust_domain=one'),
    text(12, 'level=info msg="Bundle refreshed" trust_domain=two'),
    text(13, 'level=info msg="Trust domain is now managed" trust_domain=three'),
    "half a line Bundle refr",
  ],
  json: [
    json(10, { msg: "Bundle refreshed", trust_domain: "one" }),
    json(11, { msg: "Error updating bundle", error: 'failed: Get "https://x": refused', trust_domain: "one" }),
    json(12, { msg: "Bundle refreshed", trust_domain: "two" }),
    "{ Bundle refreshed, and no JSON",
  ],
};

test.each(Object.entries(LOGS))("the last polls of each trust domain, in a log of format %s", (_, lines) => {
  expect(Object.fromEntries(logOf(lines.join("\n")).polls)).toEqual({
    one: { refreshed: at(10), failed: { at: at(11), error: 'failed: Get "https://x": refused' } },
    two: { refreshed: at(12) },
  });
});

test("of a page that a router answers with, the first line", () => {
  const error = "unexpected status 503 fetching bundle: <html>\n  <head>\n";
  const line = text(10, `level=error msg="Error updating bundle" error=${JSON.stringify(error)} trust_domain=one`);
  expect(logOf(line).polls.get("one")?.failed?.error).toBe("unexpected status 503 fetching bundle: <html>");
});

test("of several polls the last one counts", () => {
  const lines = [10, 12, 14].map((minute) => text(minute, 'msg="Bundle refreshed" trust_domain=one'));
  expect(logOf(lines.join("\n")).polls.get("one")).toEqual({ refreshed: at(14) });
});

test("when a JWT key was revoked last", () => {
  const revoked = (minute: number): string =>
    text(minute, 'level=info msg="JWT authority revoked successfully" local_authority_id=x service=localauthority.v1');
  expect(logOf([revoked(10), revoked(12)].join("\n")).revoked).toEqual(at(12));
  expect(logOf(LOGS.text.join("\n")).revoked).toBeUndefined();
});
