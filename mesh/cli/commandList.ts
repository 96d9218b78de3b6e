/** All commands, in the order of help. */
import { removeCommand, upCommand } from "./changeCommands";
import type { Declared } from "./declare";
import { completionCommand, explainCommand } from "./helpCommands";
import { driftCommand, previewCommand, statusCommand } from "./inspectCommands";
import { reportCommand, verifyCommand } from "./verifyCommands";

export const COMMANDS: readonly Declared[] = [
  upCommand,
  removeCommand,
  previewCommand,
  statusCommand,
  driftCommand,
  verifyCommand,
  reportCommand,
  explainCommand,
  completionCommand,
];
