/**
 * Stack traces as they are, without the source maps of Pulumi's runner.
 *
 * Ours need none, since every line of TypeScript is where it was (loader.js). Pulumi's SDK writes one for each resource
 * and promise, which with maps is a tenth of a run's CPU. And what maps make of its own places, such as
 * `(…/node_modules/@pulumi/resource.ts:1598:22)`, is a line on which `util.inspect` in colour, with which Pulumi prints
 * the error that ends a program, never ends in many versions of Node (nodejs/node#64011).
 */
export function plainStackTraces(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
}
