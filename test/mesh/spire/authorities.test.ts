/** What SPIRE prints of its keys, and the commands that change them. Texts as SPIRE 1.14 prints them. */
import { type Authorities, authoritiesBy } from "../../../mesh/spire/authorities";
import { issue } from "../../components/issue";

/** A server that answers these commands, and notes what was run. */
function server(answers: Record<string, string>): { asked: Authorities; ran: string[] } {
  const ran: string[] = [];
  const run = (...args: string[]): Promise<string> => {
    ran.push(args.join(" "));
    return Promise.resolve(answers[args.join(" ")] ?? "");
  };
  return { asked: authoritiesBy({ run }), ran };
}

test.each([
  ["no slot but the active one", '{"active":{"authority_id":"e281","expires_at":"1796266425"}}', ["active"]],
  [
    "empty slots",
    '{"active":{"authority_id":"e281","expires_at":"1"},"prepared":null,"old":{"authority_id":""}}',
    ["active"],
  ],
  [
    "an old one whose end is not said",
    '{"active":{"authority_id":"b"},"old":{"authority_id":"a","expires_at":"0"}}',
    ["active", "old"],
  ],
])("the slots: %s", async (_, shown, filled) => {
  const { asked } = server({ "localauthority jwt show -output json": shown });
  const slots = await asked.slots("jwt");
  expect(Object.keys(slots)).toEqual(filled);
  expect(slots.old?.expires).toBeUndefined();
});

test("the own bundle: keys by the ids that commands take, their taints, and when a root was made", async () => {
  const { certificate } = issue("SPIRE CA", { ca: true, keyId: Buffer.from("aa01", "hex") });
  const bundle = {
    trust_domain: "a.example",
    x509_authorities: [{ asn1: certificate.raw.toString("base64"), tainted: true }],
    jwt_authorities: [{ key_id: "kid", public_key: "", tainted: false }],
    // SPIRE stores none of its own bundle, and prints this.
    refresh_hint: "0",
  };
  const { asked } = server({ "bundle show -output json": JSON.stringify(bundle) });
  expect(await asked.own()).toEqual({
    x509: [{ id: "aa01", tainted: true, notBefore: new Date(certificate.validFrom) }],
    jwt: [{ id: "kid", tainted: false }],
  });
});

test("agents that are banned do not count, and of entries the longest life of JWT-SVIDs does", async () => {
  const agent = (path: string, banned: boolean): object => ({
    id: { trust_domain: "a.example", path },
    x509svid_serial_number: "7",
    x509svid_expires_at: "1796266425",
    banned,
  });
  const { asked } = server({
    "agent list -output json": JSON.stringify({ agents: [agent("/one", false), agent("/gone", true)] }),
    "entry show -output json": JSON.stringify({ entries: [{ jwt_svid_ttl: 0 }, { jwt_svid_ttl: 900 }] }),
  });
  expect(await asked.agents()).toEqual([{ path: "/one", serial: "7", expires: new Date(1796266425_000) }]);
  expect(await asked.entries()).toEqual({ count: 2, longestJwt: 900 });
});

test("a server without agents and entries", async () => {
  const { asked } = server({ "agent list -output json": "{}", "entry show -output json": "{}" });
  expect([await asked.agents(), await asked.entries()]).toEqual([[], { count: 0, longestJwt: 0 }]);
});

test("changes name the kind and the key", async () => {
  const { asked, ran } = server({});
  await asked.prepare("jwt");
  await asked.activate("x509", "a");
  await asked.taint("x509", "b");
  await asked.revoke("jwt", "c");
  await asked.refresh("a.example");
  expect(ran).toEqual([
    "localauthority jwt prepare",
    "localauthority x509 activate -authorityID a",
    "localauthority x509 taint -authorityID b",
    "localauthority jwt revoke -authorityID c",
    "federation refresh -id a.example",
  ]);
});
