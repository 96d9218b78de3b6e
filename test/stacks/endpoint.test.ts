import { bundleEndpoint, certManagerIssuer, keepEndpoint, type LiveEndpoint } from "../../stacks/endpoint";
import { judgeEndpoint } from "../../stacks/judgeEndpoint";
import { configOf } from "./fixtures";

const acme = {
  directoryUrl: "https://acme.example.com/directory",
  domainName: "federation.apps.cluster1.example.com",
  email: "ops@example.org",
  tosAccepted: "true" as const,
};
const spiffe: LiveEndpoint = { profile: "https_spiffe" };
const byAcme: LiveEndpoint = { profile: "https_web", httpsWeb: { acme } };
const byRouter: LiveEndpoint = { profile: "https_web", httpsWeb: { servingCert: { fileSyncInterval: 86400 } } };

const issuer = { type: "spire", email: "ops@example.org", tosAccepted: true };

/** What is refused of a config that meets a live endpoint. */
function refused(raw: Record<string, unknown>, live?: LiveEndpoint): string[] {
  return judgeEndpoint(keepEndpoint(configOf(raw), live).config, live, false).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

describe("what a cluster has and can never change is kept where the config leaves it open:", () => {
  it("https_spiffe", () => {
    const { config, notes } = keepEndpoint(configOf(), spiffe);
    expect(bundleEndpoint(config)).toEqual({ profile: "https_spiffe", refreshHint: 300 });
    expect(notes).toEqual([expect.stringMatching(/^profile is not set; .* https_spiffe, .* keeps it\.$/)]);
    expect(refused({}, spiffe)).toEqual([]);
  });

  it("https_spiffe although an issuer is set, which then has no effect", () => {
    const { config, notes } = keepEndpoint(configOf({ issuer: { type: "acme" } }), spiffe);
    expect(config.profile).toBe("https_spiffe");
    expect(notes).toEqual([expect.stringContaining("issuer has no effect")]);
  });

  it("SPIRE's own ACME, with its live values", () => {
    for (const raw of [{}, { profile: "https_web" }]) {
      const { config, notes } = keepEndpoint(configOf(raw), byAcme);
      expect(bundleEndpoint(config)).toEqual({
        profile: "https_web",
        refreshHint: 300,
        acme: { directoryUrl: acme.directoryUrl, email: acme.email, tosAccepted: true },
      });
      expect(certManagerIssuer(config)).toBeUndefined();
      expect(notes).toEqual([expect.stringContaining(acme.directoryUrl)]);
      expect(refused(raw, byAcme)).toEqual([]);
    }
  });

  it("nothing else, and nothing where there is no federation yet", () => {
    for (const live of [undefined, {}]) {
      expect(keepEndpoint(configOf(), live)).toEqual({ config: configOf(), notes: [] });
    }
    const explicit = configOf({ profile: "https_web", issuer: { type: "router" } });
    expect(keepEndpoint(explicit, byAcme)).toEqual({ config: explicit, notes: [] });
  });
});

describe("refused", () => {
  it.each<[string, Record<string, unknown>, LiveEndpoint, RegExp]>([
    ["another profile than the live one", { profile: "https_web" }, spiffe, /^profile: .*set "https_spiffe"/],
    ["https_spiffe where there is a web certificate", { profile: "https_spiffe" }, byRouter, /^profile: .*"https_web"/],
    [
      "an issuer where SPIRE has its own ACME",
      { issuer: { type: "router" } },
      byAcme,
      /^issuer: .*take issuer out to keep/,
    ],
    [
      "SPIRE's own ACME where the router has the certificate",
      { issuer },
      byRouter,
      /^issuer\.type: .*can never change/,
    ],
    [
      "kept ACME to whose terms nobody has agreed",
      {},
      { ...byAcme, httpsWeb: { acme: { ...acme, tosAccepted: "false" } } },
      /^issuer\.tosAccepted: is not true/,
    ],
    ["a probe inside the cluster of kept ACME", { probe: "cluster" }, byAcme, /^probe: .*set probe to machine/],
  ])("%s", (_, raw, live, message) => {
    expect(refused(raw, live)).toEqual([expect.stringMatching(message)]);
  });

  it("keys of cert-manager that would change nothing", () => {
    const keys = {
      names: { role: "router-reads" },
      certManager: { channel: "stable-v1" },
    };
    const paths = (raw: Record<string, unknown>): string[] => refused(raw).map((line) => line.split(": ")[0] ?? "");
    for (const type of [{ type: "router" }, issuer]) {
      expect(paths({ ...keys, issuer: type })).toEqual(["names.role", "certManager.channel"]);
      expect(paths({ issuer: type })).toEqual([]);
    }
    expect(paths({ ...keys, issuer: { type: "ca" } })).toEqual([]);
  });
});

describe("the SpireServer is asked for", () => {
  const asked = (raw: Record<string, unknown>): unknown => bundleEndpoint(configOf(raw));

  it("a certificate of the router's", () => {
    expect(asked({ issuer: { type: "router" } })).toEqual({
      profile: "https_web",
      refreshHint: 300,
      servingCert: { routerCertificate: true },
    });
  });

  it("the interval that it has between two reads of its certificate, which no key says", () => {
    const live: LiveEndpoint = { profile: "https_web", httpsWeb: { servingCert: { fileSyncInterval: 3600 } } };
    const { config } = keepEndpoint(configOf(), live);
    expect(bundleEndpoint(config).servingCert).toMatchObject({ fileSyncInterval: 3600 });
  });

  it("a certificate by ACME, of Let's Encrypt unless the config names another server", () => {
    expect(asked({ issuer })).toMatchObject({
      acme: {
        directoryUrl: "https://acme-v02.api.letsencrypt.org/directory",
        email: "ops@example.org",
        tosAccepted: true,
      },
    });
    expect(asked({ issuer: { ...issuer, server: acme.directoryUrl } })).toMatchObject({
      acme: { directoryUrl: acme.directoryUrl },
    });
  });

  it("the secret of cert-manager's Certificate otherwise", () => {
    const secret = (externalSecretRef: string): object => ({
      profile: "https_web",
      refreshHint: 300,
      servingCert: { externalSecretRef },
    });
    expect(asked({})).toEqual(secret("spire-server-federation-tls"));
    expect(asked({ names: { secret: "bundle-endpoint" } })).toEqual(secret("bundle-endpoint"));
    const kept = { issuer: { type: "secret" }, names: { secret: "wildcard" } };
    expect(asked(kept)).toEqual(secret("wildcard"));
    expect(refused(kept)).toEqual([]);
  });
});
