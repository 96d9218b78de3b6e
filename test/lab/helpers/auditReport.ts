/** `spire-federation verify -o html` on two clusters, as somebody with the auditor's rights gets it, opened in a browser. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { Cluster } from "../../../lab/client/cluster";
import type { Project } from "../../../lab/client/project";
import { cutOff, openBrowser, openFile } from "../../mesh/report/browser";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
let auditor: Project;
let browser: Browser;

interface Seen {
  code: number;
  headline: string;
  /** Whose it is and what to do, of each problem. */
  problems: string[][];
  /** The same of each warning and note; workloads of other files' tests may have left some. */
  warnings: string[][];
  /** Who trusts whom, how that is, and until when. */
  trusts: string[];
  lifetimes: string[];
  /** What the browser or a narrow window makes of it. */
  complaints: string[];
}

async function report(...flags: string[]): Promise<Seen> {
  const file = join(auditor.dir, "report.html");
  const { code, stdout } = await auditor.mesh("verify", "-o", "html", ...flags);
  await writeFile(file, stdout);
  const opened = await openFile(browser, file);
  const { tab, complaints } = opened;
  const texts = (selector: string): Promise<string[]> =>
    tab.$$eval(selector, (all) => all.map((one) => (one as HTMLElement).innerText.replace(/\s+/g, " ").trim()));
  await tab.setViewport({ width: 360, height: 800 });
  const findings = await tab.$$eval(".finding", (all) =>
    all.map((one) => [...one.querySelectorAll("h3, pre")].map((part) => (part as HTMLElement).innerText.trim())),
  );
  const isWarning = ([whose = ""]: string[]): boolean => /^[!i] /.test(whose);
  const seen: Seen = {
    code,
    headline: (await texts("h1")).join(),
    problems: findings.filter((finding) => !isWarning(finding)),
    warnings: findings.filter(isWarning),
    trusts: await texts(".trusts tbody tr"),
    lifetimes: await texts('.lifetimes tbody th[scope="row"]'),
    complaints: [...complaints, ...(await cutOff(tab))],
  };
  await opened.close();
  return seen;
}

/** Tests that build on each other, on two clusters that trust each other. */
export function reportTests(open: () => { auditor: Project }): void {
  beforeAll(async () => {
    ({ auditor } = open());
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test("of a healthy mesh it says so, and until when who is trusted", async () => {
    const seen = await report("--wait");
    expect(seen.problems).toEqual([]);
    expect(seen.warnings[0]).toContain("i 1. cluster1, cluster2 note"); // what ZTWIM 1.1 lets the router read
    expect(seen.headline).toBe("√ All healthy: 2 members, 2 directions of trust");
    expect(seen.code).toBe(0);
    expect(seen.complaints).toEqual([]);
    expect(seen.trusts).toEqual([
      expect.stringMatching(/^cluster1 cluster2 √ healthy \d{4}-\d\d-\d\d \d\d:\d\d UTC in \d+ \w+$/),
      expect.stringMatching(/^cluster2 cluster1 √ healthy \d{4}-\d\d-\d\d \d\d:\d\d UTC in \d+ \w+$/),
    ]);
    expect(new Set(seen.lifetimes)).toContain("certificate of the bundle endpoint");
    expect(seen.lifetimes.filter((what) => what.startsWith("X.509 root")).length).toBeGreaterThanOrEqual(2);
  });

  test("of a bundle that was lost it says whose, and what to do helps", async () => {
    await cluster1.spireServer("bundle", "delete", "-id", `spiffe://${cluster2.trustDomain}`, "-mode", "dissociate");
    const seen = await report();
    expect(seen.code).toBe(1);
    expect(seen.headline).toBe("× 2 of 2 members and 1 of 2 directions of trust are healthy");
    expect(seen.problems.map(([whose]) => whose)).toEqual(["× 1. cluster1 -> cluster2 failed"]);
    const [, cure = ""] = seen.problems[0] ?? [];
    expect(cure).toContain(`federation refresh -id ${cluster2.trustDomain}`);
    expect(seen.trusts[0]).toBe("cluster1 cluster2 × unhealthy no root seen");

    await cluster1.refreshBundle(cluster2.trustDomain);
    expect((await report("--wait")).code).toBe(0);
  });
}
