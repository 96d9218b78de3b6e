/** All commands, in the order of help. */
import { adoptCommand } from "./adoptCommand";
import { removeCommand, upCommand } from "./changeCommands";
import type { DeclaredCommand } from "./declare";
import { completionCommand, explainCommand } from "./helpCommands";
import { contractCommand, driftCommand, previewCommand, statusCommand } from "./inspectCommands";
import { pkoCommand } from "./pkoCommand";
import { reportCommand, verifyCommand } from "./verifyCommands";

export const COMMANDS: readonly DeclaredCommand[] = [
  upCommand,
  removeCommand,
  adoptCommand,
  previewCommand,
  statusCommand,
  driftCommand,
  contractCommand,
  pkoCommand,
  verifyCommand,
  reportCommand,
  explainCommand,
  completionCommand,
];
