/** What alerts does. */
import { stringify } from "yaml";
import { accessOf } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { alertsOf } from "../alerts/alerts";
import { EXIT } from "../kernel/exit";
import { named } from "../members/members";
import type { Context, Result } from "./context";

/** Of one stack; the command line takes no more. */
export async function runAlerts({ open, note }: Context, names: readonly string[]): Promise<Result> {
  const { members, stacks, interruption } = await open(names, "all");
  const [member] = named(names, members);
  if (member === undefined) throw new Error("no stack is named");
  const alerts = await alertsOf(member, members, {
    reader: connect(accessOf(member.config), interruption.signal),
    published: (id) => stacks.published(id),
  });
  note(`${member.name}: ${alerts.monitoring.about}`);
  const text = alerts.objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
  return { exit: EXIT.fine, report: { command: "alerts", ...alerts }, text, raw: true };
}
