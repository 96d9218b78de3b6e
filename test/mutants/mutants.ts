/** Small faults that somebody could write into a source file. */
import * as ts from "typescript";

export interface Mutant {
  file: string;
  line: number;
  /** What is replaced by what. */
  what: string;
  /** The whole file, with the fault. */
  text: string;
}

const OPERATORS = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
]);

const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

/** All of them, whether they compile or not. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = parse(file, text);
  return nodesOf(source).flatMap((node) => {
    const found = faultOf(node);
    if (found === undefined) return [];
    const [part, replacement] = found;
    const from = part.getStart(source);
    return {
      file,
      line: source.getLineAndCharacterOfPosition(from).line + 1,
      what: `${oneLine(part.getText(source))} → ${oneLine(replacement)}`,
      text: text.slice(0, from) + replacement + text.slice(part.end),
    };
  });
}

/** How often a file decides something: what can go wrong in it, and what nobody sees at once. */
export function decisionsIn(file: string, text: string): number {
  return nodesOf(parse(file, text)).filter(
    (node) =>
      conditionOf(node) !== undefined ||
      ts.isThrowStatement(node) ||
      OPERATORS.has(node.kind) ||
      node.kind === ts.SyntaxKind.QuestionQuestionToken,
  ).length;
}

/** What runs: no types, no imports. */
function nodesOf(node: ts.Node): ts.Node[] {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return [];
  const below: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    below.push(...nodesOf(child));
  });
  return [node, ...below];
}

/** The part to replace, and what takes its place. */
function faultOf(node: ts.Node): [ts.Node, string] | undefined {
  const condition = conditionOf(node);
  if (condition !== undefined) return [condition, `!(${condition.getText()})`];
  const operator = OPERATORS.get(node.kind);
  if (operator !== undefined) return [node, operator];
  if (ts.isReturnStatement(node) || ts.isThrowStatement(node) || isCall(node)) return [node, ";"];
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) return [node, "[]"];
  if (ts.isNumericLiteral(node)) return [node, String(Number(node.text) + 1)];
  // A text with a space is wording, which no test has to repeat.
  if (ts.isStringLiteral(node) && /^\S+$/.test(node.text)) return [node, '""'];
  return undefined;
}

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  return ts.isConditionalExpression(node) ? node.condition : undefined;
}

/** A statement that only calls. */
function isCall(node: ts.Node): boolean {
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  return ts.isCallExpression(ts.isAwaitExpression(expression) ? expression.expression : expression);
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
