/** Which key goes, and what people are told before they are asked. */
import { keysOf, keyToGo, kindOf, planOf } from "../../../mesh/rotate/beginning";
import { World } from "./spire";

const chosen = (world: World): string | undefined => keyToGo(world.sight().x509)?.from;

test("the active key goes, also where the next one is prepared already", () => {
  const world = new World();
  expect(chosen(world)).toBe("x509-1");
  world.prepare("x509");
  expect(keyToGo(world.sight().x509)).toMatchObject({
    from: "x509-1",
    because: expect.stringContaining("x509-3") as string,
  });
});

test("a rotation that was begun is finished before another one", () => {
  const world = new World();
  world.prepare("x509");
  for (const peer of world.peers) world.poll(peer);
  world.activate("x509", "x509-3");
  expect(chosen(world)).toBe("x509-1");
});

test("a key that peers alone still hold is the one", () => {
  const world = new World();
  world.peers[0]?.held.x509.add("revoked");
  expect(chosen(world)).toBe("revoked");
});

test("a key is known by its own server and by peers that hold it still, and by nobody else", () => {
  const world = new World();
  world.peers[0]?.held.jwt.add("revoked");
  const sights = world.sight();
  expect(["x509-1", "jwt-2", "revoked", "typo"].map((id) => kindOf(id, sights))).toEqual([
    "x509",
    "jwt",
    "jwt",
    undefined,
  ]);
  expect(keysOf(sights)).toEqual(["X.509 x509-1 (active)", "JWT jwt-2 (active)"]);
});

test("the plan names each key, who trusts it, and who cannot be asked", () => {
  const world = new World(["b"]);
  world.outside = ["partner.example.org"];
  const plan = planOf("a", { x509: "x509-1", jwt: "jwt-2" }, world.sight());
  for (const text of ["x509-1", "jwt-2", "Trusted by b", "partner.example.org", "JWT-SVIDs"])
    expect(plan).toContain(text);
  expect(planOf("a", { x509: "x509-1" }, world.sight())).not.toContain("JWT");
});

test("the plan says before the question what cannot be done", () => {
  const world = new World();
  world.upstream = "c40f";
  expect(planOf("a", { x509: "x509-1" }, world.sight())).toMatch(
    /x509-1 stays: its X\.509 authority is below an upstream CA/,
  );
});

test("an authority that SPIRE has prepared below an upstream CA leads nowhere, and the plan says so", () => {
  const sights = new World().sight();
  const { x509 } = sights;
  // Its id is in no bundle, the CA's root is.
  const slots = { ...x509.slots, prepared: { id: "intermediate", upstream: "c40f" } };
  const bundle = [...x509.bundle, { id: "c40f", tainted: false }];
  expect(planOf("a", { x509: "x509-1" }, { ...sights, x509: { ...x509, slots, bundle } })).toMatch(
    /x509-1 stays: its next X\.509 authority is below an upstream CA/,
  );
});
