/** A picture of the top of a report, as somebody sees it: `tsx docs/generate/screenshot.ts <report.html> <picture.png>`. */
import { openBrowser, openFile } from "../../test/mesh/report/browser";

async function main(report: string, picture: `${string}.png`): Promise<void> {
  const browser = await openBrowser();
  try {
    const { tab } = await openFile(browser, report);
    await tab.setViewport({ width: 1100, height: 900 });
    await tab.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}

const [report = "", name = ""] = process.argv.slice(2);
void main(report, `${name.replace(/\.png$/, "")}.png`);
