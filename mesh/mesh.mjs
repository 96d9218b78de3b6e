#!/usr/bin/env node
import "sucrase/register/ts-legacy-module-interop.js";
import { createRequire } from "node:module";

const { main } = createRequire(import.meta.url)("./cli.ts");
process.exitCode = await main(process.argv.slice(2));
