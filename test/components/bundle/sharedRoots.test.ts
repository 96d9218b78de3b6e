import fc from "fast-check";
import { sharedRoots } from "../../../components/bundle/sharedRoots";
import { issue, type Issued } from "../issue";

const now = new Date();
const [first, second, third] = ["A", "B", "C"].map((name) => issue(name, { ca: true })) as [Issued, Issued, Issued];
const print = ({ certificate }: Issued): string => certificate.fingerprint256.replaceAll(":", "").toLowerCase();
const of = (trustDomain: string, ...roots: Issued[]): { trustDomain: string; roots: string[] } => ({
  trustDomain,
  roots: roots.map(({ pem }) => pem),
});

it("is said of trust domains that have one root, and once for all of them", () => {
  expect(sharedRoots([of("a", first), of("b", second, first), of("c", third), of("d", first)], now)).toEqual([
    { root: print(first), trustDomains: ["a", "b", "d"] },
  ]);
});

it("is not said of trust domains with roots of their own, nor of one that has its root twice", () => {
  expect(sharedRoots([of("a", first, first), of("b", second), of("c")], now)).toEqual([]);
});

it("is said when a root was renewed with the same key", () => {
  const renewed = issue("A", { ca: true, keysOf: first, notAfter: new Date(now.getTime() + 1e9) });
  expect(sharedRoots([of("a", first), of("b", renewed)], now)).toEqual([
    { root: print(first), trustDomains: ["a", "b"] },
  ]);
});

it("is not said of a root that has expired", () => {
  const expired = issue("E", { ca: true, notAfter: new Date(now.getTime() - 1000) });
  expect(sharedRoots([of("a", expired), of("b", expired)], now)).toEqual([]);
});

it("reads DER as well as PEM", () => {
  expect(sharedRoots([of("a", first), { trustDomain: "b", roots: [first.certificate.raw] }], now)).toHaveLength(1);
});

it("names each root with exactly the trust domains that have it", () => {
  const pool = [first, second, third];
  fc.assert(
    fc.property(fc.array(fc.subarray(pool), { maxLength: 6 }), (bundles) => {
      const found = sharedRoots(
        bundles.map((roots, index) => of(`td${index}`, ...roots)),
        now,
      );
      const expected = pool.flatMap((root) => {
        const trustDomains = bundles.flatMap((roots, index) => (roots.includes(root) ? [`td${index}`] : []));
        return trustDomains.length > 1 ? [{ root: print(root), trustDomains }] : [];
      });
      expect(new Set(found)).toEqual(new Set(expected));
    }),
  );
});
