import { join } from "node:path";
import * as ts from "typescript";

/** Unused names: a fault may leave one, and it runs all the same. */
const UNUSED = [6133, 6196, 6198];

/** @returns whether a file of the project would compile with another text */
export function typeChecker(root: string): (file: string, text: string) => boolean {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const other = { file: "", text: "", version: 0 };
  const textOf = (file: string): string | undefined => (file === other.file ? other.text : ts.sys.readFile(file));
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (file) => (file === other.file ? String(other.version) : ""),
    getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(textOf(file) ?? ""),
  });
  return (file, text) => {
    Object.assign(other, { file: join(root, file), text, version: other.version + 1 });
    const problems = [...service.getSyntacticDiagnostics(other.file), ...service.getSemanticDiagnostics(other.file)];
    return problems.every(({ code }) => UNUSED.includes(code));
  };
}
