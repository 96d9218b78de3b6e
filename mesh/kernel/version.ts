import { readFileSync } from "node:fs";

/** Of the package. It is found by its name, because dist/ is one folder deeper than the sources. */
export const { version } = JSON.parse(readFileSync(require.resolve("spire-federation/package.json"), "utf8")) as {
  version: string;
};
