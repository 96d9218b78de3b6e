/** Prometheus' text format, as its documentation has it, and nothing beside that. */

export interface PromSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"`;
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)\})? (\S+)$`);

/** @throws Error for whatever a collector would refuse */
export function parsed(text: string): PromSample[] {
  if (!text.endsWith("\n")) throw new Error("it does not end with a line feed");
  const [typed, helped, ended] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let last = "";
  return text
    .slice(0, -1)
    .split("\n")
    .flatMap((line): PromSample[] => {
      const [, kind = "", of = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) .+$`).exec(line) ?? [];
      if (kind !== "") {
        const known = kind === "HELP" ? helped : typed;
        if (known.has(of)) throw new Error(`${kind} twice: ${line}`);
        known.add(of);
        return [];
      }
      const [, name = "", labels = "", ...rest] = SAMPLE.exec(line) ?? [];
      if (name === "") throw new Error(`not in the format: ${JSON.stringify(line)}`);
      if (!typed.has(name) || !helped.has(name)) throw new Error(`no TYPE or HELP before ${name}`);
      if (name !== last && ended.has(name)) throw new Error(`not in one group: ${name}`);
      ended.add((last = name));
      const value = Number(rest.at(-1));
      if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
      const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([, label = "", quoted = ""]) => [
        label,
        quoted.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one)),
      ]);
      return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value }];
    });
}
