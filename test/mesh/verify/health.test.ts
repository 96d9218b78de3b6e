import { failed, type Judgement, ok, type Outcome, pending, skipped, warn } from "../../../mesh/verify/check";
import { healthOf } from "../../../mesh/verify/verification";

const checks = (...judgements: Judgement[]): Outcome[] =>
  judgements.map((judgement, index) => ({ code: `MESH${index}`, title: "it is so", source: "here", ...judgement }));

const unknown: Judgement = { state: "unknown", evidence: "no answer" };
const waits: Judgement = { state: "skipped", evidence: "the peer's MESH1 did not pass", needs: "MESH1" };

it("takes the worst of the checks", () => {
  expect(healthOf(checks(ok(""), failed("", ""), pending("", ""), unknown))).toBe("unhealthy");
  expect(healthOf(checks(ok(""), pending("", ""), unknown))).toBe("pending");
  expect(healthOf(checks(ok(""), unknown))).toBe("unknown");
});

it("calls nobody healthy of whom a check was not asked, because another one did not pass", () => {
  expect(healthOf(checks(ok(""), waits))).toBe("unknown");
});

it("calls a member healthy of whom there is a warning", () => {
  expect(healthOf(checks(ok(""), warn("", "")))).toBe("healthy");
});

it("minds no check that doesn't apply", () => {
  expect(healthOf(checks(ok(""), skipped("it has no Route of its own")))).toBe("healthy");
});
