/** Where Pulumi starts the plugin, in a process of its own beside a program in another language. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { provider } from "@pulumi/pulumi";
import * as classes from "./classes";
import { componentProvider } from "./provider";

const schema = readFileSync(join(__dirname, "schema.json"), "utf8");

export = provider.main(componentProvider(schema, classes), process.argv.slice(2));
