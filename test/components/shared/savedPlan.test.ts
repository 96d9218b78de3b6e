import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ready, whenReady } from "../../../components/waiting/readiness";
import { onceApplied } from "../../../components/shared/savedPlan";
import { named, record, type Seen } from "../../mocks";

/** A resource that comes after another one is ready. */
const user = async (preview: boolean): Promise<Seen> => {
  const seen = await record(
    () => {
      const component = new pulumi.ComponentResource("test:index:Component", "component");
      const made = new k8s.core.v1.ConfigMap("made", {}, { parent: component });
      const options = { timeoutSeconds: 1, pollMs: 1 };
      const after = whenReady(component, onceApplied(made), "made", () => Promise.resolve(ready), options);
      new k8s.core.v1.ConfigMap("user", { data: { key: after.apply(() => "value") } });
    },
    { preview },
  );
  return named(seen, "user");
};

it("is possible with what waits: a preview shows the same values and dependencies as the up", async () => {
  const expected = {
    inputs: { data: { key: "value" } },
    dependencies: ["made"],
    inputDependencies: { data: ["made"] },
  };
  expect(await user(false)).toMatchObject(expected);
  expect(await user(true)).toMatchObject(expected);
});
