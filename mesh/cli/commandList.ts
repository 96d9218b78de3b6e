/** All commands, in the order of help. */
import { adoptCommand, removeCommand, revokeCommand, rotateCommand, upCommand } from "./changeDeclarations";
import type { DeclaredCommand } from "./declare";
import { completionCommand, explainCommand, versionCommand } from "./helpCommands";
import { initCommand } from "./initDeclaration";
import {
  alertsCommand,
  configCommand,
  driftCommand,
  peerInfoCommand,
  previewCommand,
  statusCommand,
} from "./inspectDeclarations";
import { precheckCommand, verifyCommand } from "./verifyDeclarations";

export const COMMANDS: readonly DeclaredCommand[] = [
  initCommand,
  upCommand,
  removeCommand,
  adoptCommand,
  rotateCommand,
  revokeCommand,
  previewCommand,
  statusCommand,
  configCommand,
  driftCommand,
  peerInfoCommand,
  alertsCommand,
  precheckCommand,
  verifyCommand,
  explainCommand,
  versionCommand,
  completionCommand,
];
