/** Fields of an interface with their doc comments, read from the source: what a reader of the code sees is what a page says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";

export interface TypeField {
  name: string;
  /** As it is written. */
  type: string;
  optional: boolean;
  about: string;
}

export const ROOT = join(__dirname, "..", "..");

/**
 * @param names only these fields, in this order; all when left out, except the tag `type` of a union
 * @throws Error when the file has no such interface, or one of its fields no doc comment
 */
export function fieldsOf(file: string, name: string, names?: readonly string[]): TypeField[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.Latest, true);
  const found = source.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
  if (found === undefined || !ts.isInterfaceDeclaration(found))
    throw new Error(`${file}: there is no interface ${name}`);
  const members = found.members.filter(ts.isPropertySignature);
  const nameOf = (member: ts.PropertySignature): string => member.name.getText(source);
  const wanted =
    names === undefined
      ? members.filter((member) => nameOf(member) !== "type")
      : names.flatMap((one) => members.filter((member) => nameOf(member) === one));
  return wanted.map((member) => {
    const field = nameOf(member);
    const about = ts
      .getJSDocCommentsAndTags(member)
      .flatMap((doc) => (typeof doc.comment === "string" ? [doc.comment.replaceAll(/\s+/g, " ")] : []))
      .join(" ");
    if (about === "") throw new Error(`${file}: ${name}.${field} has no doc comment`);
    return {
      name: field,
      type: (member.type?.getText(source) ?? "").replaceAll(/\s+/g, " "),
      optional: member.questionToken !== undefined,
      about,
    };
  });
}
