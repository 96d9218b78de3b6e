/** The page in a real browser: what people with and without a mouse, eyes, colours or a screen get of it. */
import { type AxeResults, source as axe } from "axe-core";
import type { Browser, Page } from "puppeteer-core";
import type { Verification } from "../../../mesh/verify/verification";
import { chromium, has } from "../../needs";
import { cutOff, type Opened, openBrowser, openPage } from "./browser";
import { everyState, faultyMesh, mesh, renamed } from "./given";

const PAGES: readonly [string, Verification][] = [
  ["a healthy mesh", mesh(3)],
  ["three faults", faultyMesh()],
  ["every state", everyState()],
  ["twelve members", faultyMesh(12)],
  ["long names", renamed(faultyMesh(), (name) => name.padEnd(63, "-and-so-on"))],
];

let browser: Browser;
let opened: Opened | undefined;

(has(chromium()) ? describe : describe.skip)("the page", () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });

  async function show(verification: Verification): Promise<Page> {
    opened = await openPage(browser, verification);
    return opened.tab;
  }

  // In the dark only colours are others.
  describe.each([
    ["light", "axe.run()"],
    ["dark", 'axe.run({ runOnly: ["color-contrast"] })'],
  ])("in %s", (value, run) => {
    it.each(PAGES.filter(([name]) => name !== "twelve members"))(
      "%s: axe finds nothing that keeps anybody from using it",
      async (_, verification) => {
        const tab = await show(verification);
        await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        await unfold(tab);
        await tab.evaluate(axe);
        const { violations, passes } = (await tab.evaluate(run)) as AxeResults;
        expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
        expect(passes.map(({ id }) => id)).toContain("color-contrast");
      },
    );
  });

  it.each(PAGES)("%s: asks nobody for anything, and breaks no rule of its own", async (_, verification) => {
    const tab = await show(verification);
    expect(opened?.requests).toEqual([tab.url()]);
    expect(opened?.complaints).toEqual([]);
  });

  describe.each([360, 1280])("%d pixels wide", (width) => {
    it.each(PAGES)("%s: nothing is cut off or has to be scrolled aside", async (_, verification) => {
      const tab = await show(verification);
      await tab.setViewport({ width, height: 800 });
      await unfold(tab);
      expect(await cutOff(tab)).toEqual([]);
    });

    it("keeps the words of a table's cells in their cells", async () => {
      const tab = await show(everyState());
      await tab.setViewport({ width, height: 800 });
      const over = await tab.evaluate(() =>
        [...document.querySelectorAll("td, th")]
          .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
          .map((cell) => cell.outerHTML),
      );
      expect(over).toEqual([]);
    });
  });

  describe("with the keyboard alone", () => {
    it("leads first past the head, to what is wrong", async () => {
      const tab = await show(faultyMesh());
      await tab.keyboard.press("Tab");
      const shown = await tab.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? -1);
      expect(shown).toBeGreaterThanOrEqual(0);
      await tab.keyboard.press("Enter");
      expect(await tab.evaluate(() => document.activeElement?.id)).toBe("findings");
      await tab.keyboard.press("Tab");
      expect(await tab.evaluate(() => document.activeElement?.closest("header"))).toBeNull();
    });

    it("reaches and opens everything that is folded", async () => {
      const tab = await show(everyState());
      const folded = await tab.$$eval("details", (all) => all.length);
      for (let presses = 0; presses < folded + 10; presses++) {
        await tab.keyboard.press("Tab");
        const closed = await tab.evaluate(() => document.activeElement?.matches("details:not([open]) > summary"));
        if (closed === true) await tab.keyboard.press("Enter");
      }
      expect(await tab.$$eval("details[open]", (all) => all.length)).toBe(folded);
    });
  });

  it("tells the states of arrows apart by their lines, whatever their colour", async () => {
    const tab = await show(everyState());
    const lines = await tab.$$eval(".graph .edge path", (paths) =>
      paths.map((path) => {
        const { strokeDasharray, strokeWidth } = getComputedStyle(path);
        return [path.parentElement?.getAttribute("class"), strokeDasharray, strokeWidth].join(" ");
      }),
    );
    const kinds = [...new Set(lines)].map((line) => line.split(" ").slice(2).join(" "));
    expect(new Set(kinds).size).toBe(4);
  });

  it("tells a screen reader the picture's content, and who trusts whom", async () => {
    const tab = await show(faultyMesh());
    const names = await tab.evaluate(() => {
      const graph = document.querySelector("svg.graph");
      const text = (id: string): string => document.getElementById(id)?.textContent ?? "";
      return (graph?.getAttribute("aria-labelledby") ?? "").split(" ").map(text);
    });
    expect(names[0]).toBe("Who trusts whom");
    expect(names[1]).toContain("2 unhealthy (cluster1 -> cluster2, cluster2 -> cluster1), 4 unknown");
  });

  it("prints what is folded, the cures, on more than one page", async () => {
    const tab = await show(faultyMesh());
    await tab.emulateMediaType("print");
    const hidden = await tab.$$eval("li, code, td", (all) =>
      all.filter((one) => !one.checkVisibility({ contentVisibilityAuto: true })).map((one) => one.outerHTML),
    );
    expect(hidden).toEqual([]);
    await tab.emulateMediaType(undefined);
    const pdf = Buffer.from(await tab.pdf({ format: "A4" })).toString("latin1");
    expect(pdf.startsWith("%PDF-")).toBe(true);
    const pages = [...pdf.matchAll(/\/Type\s*\/Page\b/g)].length;
    expect(pages).toBeGreaterThan(1);
  });
});

const unfold = (tab: Page): Promise<void> =>
  tab.$$eval("details", (all) => {
    for (const one of all) one.open = true;
  });
