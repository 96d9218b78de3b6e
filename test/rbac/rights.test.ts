import fc from "fast-check";
import { type AuditEvent, covers, describe as inWords, isDenied, rights, unused } from "./rights";

const ROLE = {
  kind: "Role",
  metadata: { name: "deployer", namespace: "operands" },
  rules: [
    {
      apiGroups: ["cert-manager.io"],
      resources: ["certificates"],
      resourceNames: ["tls", "root"],
      verbs: ["create", "patch"],
    },
    { apiGroups: [""], resources: ["pods/exec"], verbs: ["get"] },
  ],
};

function event(verb: string, objectRef: AuditEvent["objectRef"], code = 200, decision = "allow"): AuditEvent {
  return {
    verb,
    requestURI: "/",
    user: { username: "system:serviceaccount:spire-federation:deployer" },
    ...(objectRef && { objectRef }),
    responseStatus: { code },
    requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    annotations: { "authorization.k8s.io/decision": decision },
  };
}

const certificate = (name: string) => ({
  apiGroup: "cert-manager.io",
  resource: "certificates",
  namespace: "operands",
  name,
});
const left = (...events: AuditEvent[]): string[] => unused(rights([ROLE]), events).map(inWords);

const [CREATE_TLS, PATCH_TLS, CREATE_ROOT, PATCH_ROOT, EXEC] = [
  "operands/deployer: create certificates.cert-manager.io tls in operands",
  "operands/deployer: patch certificates.cert-manager.io tls in operands",
  "operands/deployer: create certificates.cert-manager.io root in operands",
  "operands/deployer: patch certificates.cert-manager.io root in operands",
  "operands/deployer: get pods/exec in operands",
];

test("each verb on each name is a right of its own", () => {
  expect(left()).toEqual([CREATE_TLS, PATCH_TLS, CREATE_ROOT, PATCH_ROOT, EXEC]);
});

test("a patch of what is there uses one right, one that makes it two", () => {
  expect(left(event("patch", certificate("tls")))).toEqual([CREATE_TLS, CREATE_ROOT, PATCH_ROOT, EXEC]);
  expect(left(event("patch", certificate("tls"), 201))).toEqual([CREATE_ROOT, PATCH_ROOT, EXEC]);
});

test("a subresource is not its resource", () => {
  const pod = { resource: "pods", namespace: "operands", name: "spire-server-0" };
  expect(left(event("get", pod))).toContain(EXEC);
  expect(left(event("get", { ...pod, subresource: "exec" }, 101))).not.toContain(EXEC);
});

test.each([
  ["in another namespace", event("patch", { ...certificate("tls"), namespace: "other" })],
  ["of another name", event("patch", certificate("tls2"))],
  ["of another group", event("patch", { ...certificate("tls"), apiGroup: "example.com" })],
  ["with another verb", event("update", certificate("tls"))],
  ["that was denied", event("patch", certificate("tls"), 403, "forbid")],
  ["for no object", event("patch", undefined)],
])("a request %s uses none", (_, request) => {
  expect(left(request)).toHaveLength(5);
});

test("a request that the API server refused after it was authorized has used its right", () => {
  const refused = event("patch", certificate("tls"), 409);
  expect(isDenied(refused)).toBe(false);
  expect(left(refused)).not.toContain(PATCH_TLS);
});

test("a right of a ClusterRole is used in any namespace", () => {
  const everywhere = { ...ROLE, kind: "ClusterRole", metadata: { name: "everywhere" } };
  expect(unused(rights([everywhere]), [event("patch", { ...certificate("tls"), namespace: "other" })])).toHaveLength(4);
});

const right = fc.record(
  {
    role: fc.constant("role"),
    namespace: fc.constantFrom("a", "b"),
    apiGroup: fc.constantFrom("", "g"),
    resource: fc.constantFrom("pods", "pods/exec"),
    verb: fc.constantFrom("get", "list"),
    name: fc.constantFrom("x", "y"),
  },
  { requiredKeys: ["role", "apiGroup", "resource", "verb"] },
);

test("covering is an order: of itself, and of what is covered by what it covers", () => {
  fc.assert(
    fc.property(right, right, right, (a, b, c) => covers(a, a) && !(covers(a, b) && covers(b, c) && !covers(a, c))),
  );
});
