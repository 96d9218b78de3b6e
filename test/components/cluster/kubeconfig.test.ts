/** Kubeconfigs as installers write them, and as people collect them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import { dirname, join } from "node:path";
import { accessFlags, oc } from "../../../components/cluster/access";
import { AccessError, loadKubeconfig, usedContext } from "../../../components/cluster/kubeconfig";

// Of the process; jest's environment is a copy of it.
jest.mock("node:os", () => ({ ...jest.requireActual<typeof os>("node:os"), homedir: () => process.env["HOME"] }));

const home = mkdtempSync(join(os.tmpdir(), "kubeconfig-"));
const before = Object.fromEntries(
  ["HOME", "KUBECONFIG", "HTTPS_PROXY"].map((name) => [name, process.env[name]] as const),
);

function file(name: string, contexts: string[], current?: string): string {
  const path = join(home, name);
  const config = {
    clusters: contexts.map((context) => ({
      name: context,
      cluster: { server: `https://api.${context}.${name}:6443` },
    })),
    users: [{ name: "me", user: {} }],
    contexts: contexts.map((context) => ({ name: context, context: { cluster: context, user: "me" } })),
    ...(current !== undefined && { "current-context": current }),
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const serverOf = (...access: Parameters<typeof loadKubeconfig>): string | undefined =>
  loadKubeconfig(...access).getCurrentCluster()?.server;

function refusal(...access: Parameters<typeof loadKubeconfig>): string {
  try {
    return serverOf(...access) ?? "no server";
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return `${error.key}: ${error.message}`;
  }
}

beforeEach(() => {
  process.env["HOME"] = home;
  delete process.env["KUBECONFIG"];
  delete process.env["HTTPS_PROXY"];
});
afterAll(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  rmSync(home, { recursive: true });
});

it("leads to each cluster by its own file, whose contexts are all called admin", () => {
  const one = file("one", ["admin"], "admin");
  file("two", ["admin"], "admin");
  expect(serverOf({ kubeconfig: one, context: "admin" })).toBe("https://api.admin.one:6443");
  expect(serverOf({ kubeconfig: "~/two", context: "admin" })).toBe("https://api.admin.two:6443");
});

it("takes the file's current context, or its only one, where none is named", () => {
  expect(usedContext({ kubeconfig: file("current", ["a", "b"], "b") })).toBe("b");
  expect(usedContext({ kubeconfig: file("only", ["a"]) })).toBe("a");
  expect(usedContext({ kubeconfig: file("gone", ["a"], "deleted") })).toBe("a");
  expect(usedContext({ kubeconfig: file("which", ["a", "b"]) })).toBeUndefined();
});

it("takes $KUBECONFIG where no file is named, and else ~/.kube/config", () => {
  process.env["KUBECONFIG"] = file("named", ["a"], "a");
  expect(serverOf({})).toBe("https://api.a.named:6443");
  delete process.env["KUBECONFIG"];
  mkdirSync(join(home, ".kube"));
  file(".kube/config", ["mine"], "mine");
  expect(serverOf({ context: "mine" })).toBe("https://api.mine..kube/config:6443");
  rmSync(join(home, ".kube"), { recursive: true });
});

it("says which key is wrong, and what there is", () => {
  const which = file("which", ["a", "b"]);
  expect(refusal({ kubeconfig: which })).toMatch(
    /^context: is not set, and .*which has no current context; it has a, b/,
  );
  expect(refusal({ kubeconfig: which, context: "c" })).toMatch(/^context: context "c" is not in .*which; it has a, b$/);
  expect(refusal({ kubeconfig: "~/nowhere" })).toMatch(/^kubeconfig: ~\/nowhere cannot be read: there is no such file/);
  expect(refusal({})).toMatch(/^kubeconfig: ~\/.kube\/config cannot be read: .*\$KUBECONFIG is not set/);
  writeFileSync(join(home, "broken"), "{");
  expect(refusal({ kubeconfig: "~/broken" })).toMatch(/^kubeconfig: ~\/broken cannot be read: /);
  expect(usedContext({ kubeconfig: "~/nowhere" })).toBeUndefined();
});

describe("an address without its scheme", () => {
  const addressed = (name: string): string => {
    const path = file(name, ["a", "b"], "a");
    writeFileSync(path, readFileSync(path, "utf8").replace(`https://api.b.${name}:6443`, "10.0.0.1:6443"));
    return path;
  };

  it.each([undefined, "http://proxy:3128"])("of another cluster is no concern, with the proxy %s", (proxy) => {
    if (proxy !== undefined) process.env["HTTPS_PROXY"] = proxy;
    const path = addressed("addressed");
    expect(serverOf({ kubeconfig: path, context: "a" })).toBe("https://api.a.addressed:6443");
    expect(usedContext({ kubeconfig: path })).toBe("a");
  });

  it("of the cluster itself is refused by its name", () => {
    expect(refusal({ kubeconfig: addressed("named"), context: "b" })).toMatch(/^kubeconfig: .*named.*10\.0\.0\.1:6443/);
  });
});

it("prints commands that lead to the same cluster, in a shell, too", () => {
  expect(oc({ context: "admin" }, "get pods")).toBe("oc --context admin get pods");
  expect(oc({ kubeconfig: "~/c1/auth", context: "admin" }, "version")).toBe(
    "oc --kubeconfig ~/c1/auth --context admin version",
  );
  expect(accessFlags({ kubeconfig: "~/my clusters/it's" })).toBe("--kubeconfig ~/'my clusters/it'\\''s' ");
  expect(oc({}, "version")).toBe("oc version");
});

describe("a kubeconfig that runs a program to log in", () => {
  const login = (name: string, user: object): string => {
    const path = file(name, ["c"], "c");
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...config, users: [{ name: "me", user }] }));
    return path;
  };
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "true", interactiveMode: "Never" };
  const git = (...words: string[]): void => {
    execFileSync("git", ["-C", home, ...words], { stdio: "ignore" });
  };
  beforeAll(() => {
    git("init");
  });

  it("is refused where Git tracks it, also by a link from elsewhere", () => {
    const tracked = login("tracked", { exec });
    expect(refusal({ kubeconfig: tracked })).toBe("https://api.c.tracked:6443");
    git("add", "tracked");
    expect(refusal({ kubeconfig: tracked })).toMatch(/^kubeconfig: .*Git tracks it/);
    expect(refusal({ kubeconfig: "~/tracked" })).toMatch(/^kubeconfig: .*Git tracks it/);
    const link = join(mkdtempSync(join(os.tmpdir(), "kubeconfig-link-")), "link");
    symlinkSync(tracked, link);
    expect(refusal({ kubeconfig: link })).toMatch(/Git tracks it/);
    rmSync(dirname(link), { recursive: true });
  });

  it("is taken where the file of a stack does not name it: the environment is the user's own", () => {
    process.env["KUBECONFIG"] = login("own", { exec });
    git("add", "own");
    expect(refusal({})).toBe("https://api.c.own:6443");
  });

  it("is the only kind that is refused", () => {
    const tracked = login("token", { token: "secret" });
    git("add", "token");
    expect(refusal({ kubeconfig: tracked })).toBe("https://api.c.token:6443");
  });
});
