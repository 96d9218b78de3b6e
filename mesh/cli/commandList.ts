/** All commands, in the order of help. */
import { adoptCommand, removeCommand, upCommand } from "./changeDeclarations";
import type { DeclaredCommand } from "./declare";
import { completionCommand, explainCommand, versionCommand } from "./helpCommands";
import { initCommand } from "./initDeclaration";
import { driftCommand, peerInfoCommand, previewCommand, statusCommand } from "./inspectDeclarations";
import { precheckCommand, verifyCommand } from "./verifyDeclarations";

export const COMMANDS: readonly DeclaredCommand[] = [
  initCommand,
  upCommand,
  removeCommand,
  adoptCommand,
  previewCommand,
  statusCommand,
  driftCommand,
  peerInfoCommand,
  precheckCommand,
  verifyCommand,
  explainCommand,
  versionCommand,
  completionCommand,
];
