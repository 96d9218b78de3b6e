/** A verification as a JUnit report, which CI systems show: a suite for each member and pair, a case for each check. Pure. */
import type { Outcome } from "../verify/check";
import { pairName, type Verification } from "../verify/verification";
import { html, type Html, NOTHING } from "./html";

export function junit({ at, members, pairs, peers }: Verification): string {
  const suites = [
    ...members.map(({ member, checks }) => suite(member, checks, at)),
    ...pairs.map((pair) => suite(pairName(pair), pair.checks, at)),
    ...peers.map(({ peer, checks }) => suite(`${peer} (a peer)`, checks, at)),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n${html`<testsuites>${suites}</testsuites>`.text}\n`;
}

function suite(name: string, checks: readonly Outcome[], at: string): Html {
  const count = (...states: Outcome["state"][]): number => checks.filter(({ state }) => states.includes(state)).length;
  return html` <testsuite
    name="${name}"
    timestamp="${at}"
    tests="${checks.length}"
    failures="${count("failed", "pending")}"
    errors="${count("unknown")}"
    skipped="${count("skipped")}"
    >${checks.map((check) => testcase(name, check))}
  </testsuite>`;
}

function testcase(name: string, check: Outcome): Html {
  return html` <testcase classname="${name}" name="${check.code} ${check.title}">${said(check)}</testcase>`;
}

function said(check: Outcome): Html {
  const { state, evidence } = check;
  const cure = "cure" in check ? `\nfix: ${check.cure}` : "";
  if (state === "failed" || state === "pending")
    return html`<failure type="${state}" message="${evidence}">${evidence}${cure}</failure>`;
  if (state === "unknown") return html`<error message="${evidence}">${evidence}${cure}</error>`;
  return state === "skipped" ? html`<skipped message="${evidence}" />` : NOTHING;
}
