/** What alerts does. */
import { stringify } from "yaml";
import { accessOf } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { alertsOf } from "../alerts/alerts";
import { EXIT, UsageError } from "../kernel/exit";
import { means } from "../members/identity";
import type { Context, Result } from "./context";

export async function runAlerts({ open }: Context, [name = ""]: readonly string[]): Promise<Result> {
  const { members, stacks, interruption } = await open([name], "all");
  const member = members.find(({ config }) => means(name, config.self));
  if (member === undefined) {
    const there = members.map((one) => one.name).join(", ");
    throw new UsageError(`${name}: no such stack here; there are ${there}`);
  }
  const alerts = await alertsOf(member, members, {
    reader: connect(accessOf(member.config), interruption.signal),
    published: (id) => stacks.published(id),
  });
  const text = alerts.objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
  return { exit: EXIT.fine, report: { command: "alerts", ...alerts }, text, raw: true };
}
