/** What is promised can be done, or is refused before the question. */
import { rm } from "node:fs/promises";
import { UsageError } from "../../../mesh/kernel/exit";
import { Mesh } from "./world";

test("to destroy a stack without a file is refused before anything is asked", async () => {
  const mesh = await Mesh.of({ a: ["b", "c"], b: ["a", "c"], c: ["a", "b"] });
  await rm(mesh.file("c"));
  let asked = false;
  const removal = mesh.remove("c", {
    destroy: true,
    asking: () => {
      asked = true;
      return Promise.resolve();
    },
  });
  await expect(removal).rejects.toThrow(UsageError);
  expect([asked, mesh.ran]).toEqual([false, []]);
  expect((await mesh.remove("c")).members.map(({ state }) => state)).toEqual(["clean", "clean"]);
});
