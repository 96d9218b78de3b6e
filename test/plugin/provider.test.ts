/** What the plugin answers to Pulumi's engine. */
import * as pulumi from "@pulumi/pulumi";
import { componentProvider } from "../../plugin/provider";

/** Stands for a component; `ready` is the component itself, as ours have it. */
class Made extends pulumi.ComponentResource {
  static seen: unknown;
  readonly url: pulumi.Output<string>;
  readonly ready: pulumi.Output<pulumi.Resource>;
  constructor(name: string, args: { host: string }, options?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:Made", name, {}, options);
    Made.seen = args;
    this.url = pulumi.output(`https://${args.host}`);
    this.ready = pulumi.output(this as pulumi.Resource);
  }
}

const TYPE = "spire-federation:index:Made";
const schema = JSON.stringify({
  version: "1.2.3",
  resources: {
    [TYPE]: {
      inputProperties: { host: { plain: true }, labels: { plain: true }, ca: {} },
      properties: { url: {}, ready: {} },
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

test("its version and schema are those of the file", () => {
  expect(rest).toEqual({ version: "1.2.3", schema });
});

test("it makes the component with the arguments and gives its outputs; ready only says so", async () => {
  const ca = pulumi.output("PEM");
  const { urn, state } = await construct("east", TYPE, { host: "federation.example.com", ca }, {});
  expect(Made.seen).toEqual({ host: "federation.example.com", ca });
  expect(await value(urn)).toMatch(/spire-federation:index:Made::east$/);
  expect(await value(state)).toEqual({ url: "https://federation.example.com", ready: true });
});

test("it gives the component values where it needs them, from outputs and secrets too", async () => {
  const labels = { type: [pulumi.output("public")], password: pulumi.secret("p") };
  await construct("east", TYPE, { host: pulumi.output("federation.example.com"), labels: pulumi.secret(labels) }, {});
  expect(Made.seen).toEqual({ host: "federation.example.com", labels: { type: ["public"], password: "p" } });
});

test("it refuses what a preview does not know, at any depth, and names all of it", async () => {
  const unknown = pulumi.output(pulumi.unknown);
  const inputs = { host: unknown, labels: { type: [unknown] }, ca: unknown };
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
