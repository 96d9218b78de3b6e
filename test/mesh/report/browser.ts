/** Chromium without a window, and pages in it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { chromium } from "../../needs";
import { page } from "../../../mesh/report/page";
import type { Verification } from "../../../mesh/verify/verification";

/** @throws Error that says what is missing */
export function openBrowser(): Promise<Browser> {
  const found = chromium();
  if ("missing" in found) throw new Error(found.missing);
  // Chromium's own sandbox refuses to work for root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return puppeteer.launch({ executablePath: found.program, args });
}

export interface Opened {
  tab: Page;
  /** What the page has asked the network or the disk for, itself included. */
  requests: string[];
  /** What the browser has complained about. */
  complaints: string[];
  close(): Promise<void>;
}

/** The page of a verification, from a file that is gone with it. */
export async function openPage(browser: Browser, verification: Verification): Promise<Opened> {
  const dir = mkdtempSync(join(tmpdir(), "mesh-report-"));
  const file = join(dir, "report.html");
  writeFileSync(file, page(verification));
  const opened = await openFile(browser, file);
  return {
    ...opened,
    close: async () => {
      await opened.close();
      rmSync(dir, { recursive: true });
    },
  };
}

/** As a person opens it. */
export async function openFile(browser: Browser, file: string): Promise<Opened> {
  const tab = await browser.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  tab.on("request", (request) => requests.push(request.url()));
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(String(error)));
  await tab.goto(pathToFileURL(file).href);
  return {
    tab,
    requests,
    complaints,
    close: () => tab.close(),
  };
}

/** What lies to the left or right of the window. */
export function cutOff(tab: Page): Promise<string[]> {
  return tab.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    return [...document.querySelectorAll("body *")].flatMap((one) => {
      const { width, left, right } = one.getBoundingClientRect();
      return width > 0 && (left < -1 || right > wide + 1) && !one.matches(".skip") ? [one.outerHTML.slice(0, 200)] : [];
    });
  });
}
