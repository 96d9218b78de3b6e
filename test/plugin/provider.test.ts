/** What the plugin answers to Pulumi's engine. */
import * as pulumi from "@pulumi/pulumi";
import { gate, readyOnce } from "../../components/shared/gate";
import { stopProgram } from "../../components/shared/stopProgram";
import { componentProvider } from "../../plugin/provider";

/** Stands for a component, which is ready when `ready` is. */
class Made extends pulumi.ComponentResource {
  static seen: unknown;
  static last: Made | undefined;
  static ready: Promise<unknown> = Promise.resolve();
  readonly url: pulumi.Output<string>;
  constructor(name: string, args: { host: string }, options?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:Made", name, {}, options);
    [Made.seen, Made.last] = [args, this];
    this.url = pulumi.output(`https://${args.host}`);
    readyOnce(this, Made.ready);
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }
}

const TYPE = "spire-federation:index:Made";
const schema = JSON.stringify({
  version: "1.2.3",
  resources: {
    [TYPE]: {
      inputProperties: { host: { plain: true }, labels: { plain: true }, ca: {} },
      properties: { url: {} },
    },
  },
});
const { construct, ...rest } = componentProvider(schema, { Made });
if (construct === undefined) throw new Error("it constructs nothing");

const value = <T>(output: pulumi.Input<T>): Promise<unknown> =>
  new Promise((done) => pulumi.output(output).apply(done));

beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }),
    call: ({ token }) => {
      throw new Error(`unexpected call to ${token}`);
    },
  }),
);

afterEach(() => {
  Made.ready = Promise.resolve();
});

test("its version and schema are those of the file", () => {
  expect(rest).toEqual({ version: "1.2.3", schema });
});

test("it makes the component with the arguments and gives its outputs", async () => {
  const ca = pulumi.output("PEM");
  const { urn, state } = await construct("east", TYPE, { host: "federation.example.com", ca }, {});
  expect(Made.seen).toEqual({ host: "federation.example.com", ca });
  expect(await value(urn)).toMatch(/spire-federation:index:Made::east$/);
  expect(await value(state)).toEqual({ url: "https://federation.example.com" });
});

test("it answers once the component is ready, so that dependsOn waits for that in every language", async () => {
  let [answered, open] = [false, (): void => undefined];
  Made.ready = new Promise<void>((resolve) => (open = resolve));
  const answer = construct("east", TYPE, { host: "federation.example.com" }, {}).then(() => (answered = true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(answered).toBe(false);
  open();
  await answer;
});

test("it answers with what made the component fail", async () => {
  Made.ready = new Promise(() => undefined);
  const answer = construct("east", TYPE, { host: "federation.example.com" }, {});
  await new Promise((resolve) => setImmediate(resolve));
  void stopProgram("it does not work", Made.last);
  await expect(answer).rejects.toThrow("it does not work");
});

test("it gives the component values where it needs them, from outputs and secrets too", async () => {
  const host = pulumi.output("federation.example.com");
  await construct("east", TYPE, { host, labels: pulumi.secret({ type: ["public"] }) }, {});
  expect(Made.seen).toEqual({ host: "federation.example.com", labels: { type: ["public"] } });
});

test("it leaves outputs within a value to the component", async () => {
  const labels = { type: pulumi.output(pulumi.unknown) };
  await construct("east", TYPE, { host: "federation.example.com", labels }, {});
  expect(Made.seen).toEqual({ host: "federation.example.com", labels });
});

test("it refuses what a preview does not know and decides about children, and names all of it", async () => {
  const unknown = pulumi.output(pulumi.unknown);
  const inputs = { host: unknown, labels: pulumi.output({ type: [unknown] }), ca: unknown };
  const refused = await construct("east", TYPE, inputs, {}).catch((error: unknown) => error);
  expect(pulumi.InputPropertiesError.isInstance(refused)).toBe(true);
  expect((refused as pulumi.InputPropertiesError).errors.map(({ propertyPath }) => propertyPath)).toEqual([
    "host",
    "labels",
  ]);
});

test("it refuses what it does not know", async () => {
  await expect(construct("east", "spire-federation:index:Other", {}, {})).rejects.toThrow(
    "spire-federation:index:Other is no component of this plugin",
  );
});
