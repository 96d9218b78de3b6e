/** `spire-federation verify -o html`: a verification as one page that needs nothing beside itself. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Verification } from "../verify/verification";
import { allChecks } from "./checkList";
import { findings } from "./findingList";
import { graph, legend } from "./graph";
import { headline } from "./headline";
import { html, trusted } from "./html";
import { matrix } from "./matrix";
import { problemsOf } from "../verify/problems";
import { timeline } from "./timeline";
import { timeOf } from "./moments";
import { trustTable } from "./trustTable";

/** More members than these make no picture. */
const PICTURED = 12;
const STYLE = readFileSync(join(__dirname, "page.css"), "utf8");
/** Nothing is loaded and nothing runs, whatever the page is made to say: only this style is taken. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

export function page(verification: Verification): string {
  const { at, version } = verification;
  const problems = problemsOf(verification);
  const { title, head } = headline(verification, problems);
  const document = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${trusted(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <a class="skip" href="#findings">Skip to what is wrong, and what to do</a>
        <header>
          ${head}
          <p class="aside">SPIRE federation, looked at on ${timeOf(at)} with spire-federation ${version}</p>
        </header>
        <main>
          <div class="${problems.length === 0 ? "fine" : "first"}">
            ${findings(problems)}
            <section class="trust" aria-labelledby="trust-title">
              <h2 id="trust-title">Who trusts whom</h2>
              ${
                verification.members.length > PICTURED
                  ? html`<div>${matrix(verification)} ${legend(verification)}</div>`
                  : html`<div>${graph(verification)} ${legend(verification)}</div>
                      <div>${trustTable(verification)}</div>`
              }
            </section>
          </div>
          ${timeline(verification)} ${allChecks(verification)}
        </main>
        <footer><p>Made by ${PROGRAM} ${version}. It shows what was seen at that time, and nothing later.</p></footer>
      </body>
    </html> `;
  return document.text;
}
