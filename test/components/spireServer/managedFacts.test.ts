import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fieldsBehind } from "../../../components/spireServer/managedFacts";

const TESTDATA = join(__dirname, "../../../lab/internal/standin/ztwim/testdata");
const conf = (name: string): string => readFileSync(join(TESTDATA, `${name}.conf`), "utf8");

const plain = {
  logLevel: "info",
  caValidity: "24h",
  defaultX509Validity: "60m",
  defaultJWTValidity: "5m0s",
  caKeyType: "rsa-2048",
  datastore: {
    databaseType: "sqlite3",
    connectionString: "/run/spire/data/datastore.sqlite3",
    maxOpenConns: 100,
    disableMigration: "false",
  },
};

it("is nothing where server.conf has what is asked for, in whatever form", () => {
  expect(fieldsBehind(plain, conf("server-plain"))).toEqual([]);
  expect(fieldsBehind({}, "")).toEqual([]);
});

it("names each field of the configuration before, and no value of it", () => {
  const changed = {
    ...plain,
    caValidity: "48h0m0s",
    datastore: { ...plain.datastore, databaseType: "postgres", connectionString: "host=db password=hunter2" },
    upstreamAuthority: { vault: { vaultAddr: "https://vault.example.com:8200" } },
  };
  expect(fieldsBehind(changed, conf("server-plain"))).toEqual([
    "caValidity",
    "datastore.databaseType",
    "datastore.connectionString",
    "upstreamAuthority.vault.vaultAddr",
  ]);
  expect(fieldsBehind(plain, "not JSON")).toContain("logLevel");
});

it("knows both upstream authorities where the operator writes them", () => {
  const address = /"vault_addr": "([^"]+)"/.exec(conf("server-vault"))?.[1];
  const issuer = /"issuer_name": "([^"]+)"/.exec(conf("server-cert-manager"))?.[1];
  const [vault, certManager] = [{ vaultAddr: address }, { issuerName: issuer }];
  expect([address, issuer]).not.toContain(undefined);
  expect(fieldsBehind({ upstreamAuthority: { vault } }, conf("server-vault"))).toEqual([]);
  expect(fieldsBehind({ upstreamAuthority: { certManager } }, conf("server-cert-manager"))).toEqual([]);
  expect(fieldsBehind({ upstreamAuthority: { certManager } }, conf("server-vault"))).toHaveLength(1);
});
