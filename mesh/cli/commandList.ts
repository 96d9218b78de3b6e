/** All commands, in the order of help. */
import { removeCommand, upCommand } from "./changeCommands";
import type { DeclaredCommand } from "./declare";
import { completionCommand, explainCommand } from "./helpCommands";
import { contractCommand, driftCommand, previewCommand, statusCommand } from "./inspectCommands";
import { reportCommand, verifyCommand } from "./verifyCommands";

export const COMMANDS: readonly DeclaredCommand[] = [
  upCommand,
  removeCommand,
  previewCommand,
  statusCommand,
  driftCommand,
  contractCommand,
  verifyCommand,
  reportCommand,
  explainCommand,
  completionCommand,
];
