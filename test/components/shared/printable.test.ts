/** What peers and clusters say stands in the errors of the program, and Pulumi prints these as they are. */
import type * as pulumi from "@pulumi/pulumi";
import { gate, readiness } from "../../../components/shared/gate";
import { argumentError } from "../../../components/shared/problem";
import { stopProgram } from "../../../components/shared/stopProgram";
import { ConfigError } from "../../../stacks/refusal";

// Clears the screen, turns the direction of writing, and is a C1 control character.
const HOSTILE = 'stack "x" publishes \u001b[2J\u202emoc.live\u009b';
const SHOWN = 'stack "x" publishes \\u{1b}[2J\\u{202e}moc.live\\u{9b}';
const problems = [{ path: "peers", message: HOSTILE }];

test("a refused config shows control and bidi characters written out", () => {
  expect(new ConfigError("p", problems).message.split("\n").at(-1)).toBe(`  p:peers: ${SHOWN}`);
});

test("so do refused arguments of a component", () => {
  expect(argumentError("x", problems, {} as pulumi.Resource).message).toContain(`  peers: ${SHOWN}`);
});

test("so does what fails a component", async () => {
  const component = {} as pulumi.ComponentResource;
  void gate(component);
  void stopProgram(HOSTILE, component);
  await expect(readiness(component)).rejects.toMatchObject({ message: SHOWN });
});
