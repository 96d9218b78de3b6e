import { APPROVED_VARIABLE, withApproved } from "../../stacks/approved";
import type { JoinedPeer } from "../../stacks/contract";

const key = "ab".repeat(32);
const url = "https://federation.apps.cluster2.example.com";
const peer = (more: Partial<JoinedPeer["peer"]> = {}): JoinedPeer => ({
  peer: {
    ...{ stack: "cluster2", trustDomain: "apps.cluster2.example.com", bundleEndpointUrl: url, profile: "https_web" },
    ...more,
  },
  rebootstrap: 0,
});
const approving = (bundleEndpointUrl = url, trustDomain = "apps.cluster2.example.com"): string =>
  JSON.stringify({ [trustDomain]: { bundleEndpointUrl, keys: [key] } });

it("hands each approved peer its keys, beside the pins that the config has", () => {
  const pinned = peer({ fingerprints: ["cd".repeat(32)] });
  expect(withApproved([pinned], approving())).toEqual({
    joined: [{ ...pinned, peer: { ...pinned.peer, approvedKeys: [key] } }],
    problems: [],
  });
});

it("leaves a peer alone of which nothing was approved, whatever its name is", () => {
  const others = [peer({ trustDomain: "apps.cluster3.example.com" }), peer({ trustDomain: "constructor" })];
  expect(withApproved(others, approving())).toEqual({ joined: others, problems: [] });
  expect(withApproved(others, undefined)).toEqual({ joined: others, problems: [] });
});

it("refuses the same keys at another URL", () => {
  const { problems } = withApproved([peer({ bundleEndpointUrl: "https://elsewhere.example.com" })], approving());
  expect(problems).toEqual([
    {
      path: "peers",
      message: expect.stringMatching(/"cluster2" is at https:\/\/elsewhere\.example\.com now/) as string,
    },
  ]);
});

it.each([
  "",
  "{",
  "[]",
  "null",
  '{"a": null}',
  '{"a": {"bundleEndpointUrl": "https://a", "keys": []}}',
  '{"a": {"bundleEndpointUrl": "https://a", "keys": ["ab12"]}}',
  `{"a": {"keys": ["${key}"]}}`,
])("a value that is no approval refuses, and approves nothing: %j", (text) => {
  const { problems } = withApproved([peer()], text);
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining(APPROVED_VARIABLE)]);
});
