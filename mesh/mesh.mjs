#!/usr/bin/env node
import { createRequire } from "node:module";
import "../stacks/loader.js";

const { main } = createRequire(import.meta.url)("./cli/main.ts");
process.exitCode = await main(process.argv.slice(2));
