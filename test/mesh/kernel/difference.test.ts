import fc from "fast-check";
import type { KubeObject } from "../../../components/cluster/cluster";
import { addedFields, objectDifferences } from "../../../mesh/kernel/difference";

const rule = { apiGroups: [""], resources: ["secrets"], resourceNames: ["tls"], verbs: ["get"] };

describe("differences", () => {
  test.each<[string, object, object, [string, unknown, unknown][]]>([
    ["a field", { spec: { a: 1 } }, { spec: { a: 2 } }, [["spec.a", 2, 1]]],
    ["a field that is gone", { spec: { a: 1 } }, {}, [["spec", undefined, { a: 1 }]]],
    [
      "a limit that is gone",
      [rule],
      [{ ...rule, resourceNames: undefined }],
      [["[0].resourceNames", undefined, ["tls"]]],
    ],
    ["one name more", [rule], [{ ...rule, resourceNames: ["tls", "x"] }], [["[0].resourceNames[1]", "x", undefined]]],
    ["one entry more, in front", { s: ["a"] }, { s: ["b", "a"] }, [["s[0]", "b", undefined]]],
    ["one entry less", { s: ["a", "b"] }, { s: ["b"] }, [["s[0]", undefined, "a"]]],
    ["the same entry twice", { s: ["a"] }, { s: ["a", "a"] }, [["s", ["a", "a"], ["a"]]]],
  ])("%s", (_, asked, live, found) => {
    expect(objectDifferences(asked, live).map(({ path, found: is, expected }) => [path, is, expected])).toEqual(found);
  });

  test("what is unknown before the up, or secret, differs in nothing", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    expect(objectDifferences({ a: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", b: secret }, { a: 1 })).toEqual([]);
  });

  test("there are none to itself, with any fields added that are not entries of lists", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (asked, more) => {
          expect(objectDifferences(asked, { ...more, ...asked })).toEqual([]);
        },
      ),
    );
  });

  test("any entry that is added to a list is one", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), fc.nat(), (list, entry, at) => {
        const cut = at % (list.length + 1);
        const longer = [...list.slice(0, cut), entry, ...list.slice(cut)];
        expect(objectDifferences({ list }, { list: longer })).not.toEqual([]);
      }),
    );
  });
});

describe("fields that others have set", () => {
  const asked = { spec: { secretName: "tls", issuerRef: { name: "x" }, dnsNames: ["a"] } };
  const managed = (fields: object, subresource?: string): KubeObject => ({
    metadata: {
      name: "x",
      managedFields: [
        { manager: "kubectl-edit", fieldsV1: { "f:spec": fields }, ...(subresource !== undefined && { subresource }) },
      ],
    },
    ...{ spec: { isCA: true, issuerRef: { name: "x", kind: "ClusterIssuer" } } },
  });

  test("are those that were not asked for, at any depth", () => {
    const fields = { "f:isCA": {}, "f:secretName": {}, "f:issuerRef": { ".": {}, "f:kind": {}, "f:name": {} } };
    expect(addedFields(asked, managed(fields))).toEqual([
      { path: "spec.isCA", pointer: "/spec/isCA", manager: "kubectl-edit", value: true },
      { path: "spec.issuerRef.kind", pointer: "/spec/issuerRef/kind", manager: "kubectl-edit", value: "ClusterIssuer" },
    ]);
  });

  test("are not the status, nor the object's labels, nor entries of a list that was asked for", () => {
    expect(addedFields(asked, managed({ "f:isCA": {} }, "status"))).toEqual([]);
    const labelled = { "f:metadata": { "f:labels": {} }, "f:spec": { "f:dnsNames": { 'v:"b"': {} } } };
    expect(addedFields(asked, { metadata: { managedFields: [{ fieldsV1: labelled }] } })).toEqual([]);
  });
});

test("a JSON pointer escapes what has a meaning there", () => {
  const fieldsV1 = { "f:metadata2": { "f:example.com/a~b": {} } };
  const live = { metadata2: { "example.com/a~b": "x" }, metadata: { managedFields: [{ manager: "m", fieldsV1 }] } };
  expect(addedFields({ metadata2: {} }, live).map(({ pointer }) => pointer)).toEqual(["/metadata2/example.com~1a~0b"]);
});
