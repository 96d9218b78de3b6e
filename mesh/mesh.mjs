#!/usr/bin/env node
import { register } from "tsx/cjs/api";
import { createRequire } from "node:module";

register();
const { main } = createRequire(import.meta.url)("./cli.ts");
process.exitCode = await main(process.argv.slice(2));
