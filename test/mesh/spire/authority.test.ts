import { createHash } from "node:crypto";
import { rootsAbove, slotsOf } from "../../../mesh/spire/authority";
import { issue, type Issued } from "../../components/issue";

const keyId = (hex: string): Buffer => Buffer.from(hex, "hex");
const ca = (id: string | null): Issued => issue("CA", { ca: true, keyId: id === null ? null : keyId(id) });
const der = (...some: Issued[]): Buffer[] => some.map(({ certificate }) => certificate.raw);

describe("the active authority", () => {
  // As SPIRE 1.14 prints them.
  const shown = (upstream: string): string =>
    `{"active":{"authority_id":"64de71a0","expires_at":"1795860000","upstream_authority_subject_key_id":"${upstream}"},"prepared":null}`;

  test.each([
    ["a self-signed one", shown(""), { id: "64de71a0", upstream: "" }],
    ["an intermediate", shown("8e4a2b"), { id: "64de71a0", upstream: "8e4a2b" }],
    ["a JWT key of a server before 1.11", '{"active":{"authority_id":"kid"}}', { id: "kid", upstream: "" }],
    ["none", '{"old":{"authority_id":"64de71a0"}}', undefined],
    ["an empty one", '{"active":{"authority_id":"","expires_at":"0"}}', undefined],
  ])("may be %s", (_, text, expected) => {
    const { active } = slotsOf(text);
    expect(active && { id: active.id, upstream: active.upstream }).toEqual(expected);
  });
});

describe("the root above an authority", () => {
  const [first, second, without] = [ca("aa01"), ca("bb02"), ca(null)];

  test("is the authority itself when it is self-signed, whatever its key id was computed from", () => {
    expect(rootsAbove({ id: "bb02", upstream: "" }, der(first, second))).toEqual(der(second));
    const sha256 = createHash("sha256").update("fips").digest().subarray(0, 20);
    const fips = issue("SPIRE Server CA", { ca: true, keyId: sha256 });
    expect(rootsAbove({ id: sha256.toString("hex"), upstream: "" }, der(first, fips))).toEqual(der(fips));
  });

  test("is its issuer when it is an intermediate", () => {
    expect(rootsAbove({ id: "cc03", upstream: "aa01" }, der(first, second))).toEqual(der(first));
  });

  test("are all that have the issuer's key, when it was renewed with that", () => {
    const renewed = ca("aa01");
    expect(rootsAbove({ id: "cc03", upstream: "aa01" }, der(first, second, renewed))).toEqual(der(first, renewed));
  });

  test.each([
    ["its issuer is an intermediate, too", "dd04"],
    ["its issuer has no key id", ""],
  ])("is not known when %s", (_, upstream) => {
    expect(rootsAbove({ id: "cc03", upstream }, der(first, second, without))).toEqual([]);
  });
});
