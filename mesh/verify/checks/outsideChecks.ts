/** What is asked of a peer that is no member: its stack or the config says where it is, and its endpoint is all that can be looked at. Pure. */
import { explain } from "../../../components/shared/problem";
import { parseTrustBundle } from "../../../components/bundle/trustBundle";
import { type Check, failed, NotSeen, ok, see, skipped } from "../check";
import { expectedAt, judgeDates, judgeIssuer, judgeUnwatched, namesOf, wrongName } from "../endpointTls";
import type { Presented } from "../presented";
import { OUT_OF_SIGHT, type PeerReading } from "../subjects";
import type { Looked } from "../../kernel/looked";

export interface OutsideView extends PeerReading {
  presented: Looked<Presented>;
  /** Who can put something right: the project that has its stack, or somebody of whom nothing is known here. */
  owner: "project" | "stranger";
  now: Date;
}

export const NOT_OURS = "its SPIRE server is not of this project";

const inItsProject = ({ name, owner }: OutsideView): string =>
  owner === "project"
    ? `put it right in the project of ${name}`
    : `ask the owner of ${name} to put it right, or correct its entry in peers`;

const checks: readonly Omit<Check<OutsideView>, "source" | "about">[] = [
  {
    code: "MESH101",
    title: "its bundle endpoint is known",
    judge: ({ published }) => ok(see(published).bundleEndpointUrl),
  },
  {
    code: "MESH143",
    title: "the endpoint answers over TLS",
    needs: ["MESH101"],
    judge: (view) => {
      const { presented } = view;
      if ("because" in presented) {
        if (see(view.published).roots === undefined) return failed(presented.because, inItsProject(view));
        throw new NotSeen(`${OUT_OF_SIGHT}its stack publishes roots, as with probe: cluster (${presented.because})`);
      }
      const { status } = presented.seen;
      return status === 200
        ? ok("it answers with status 200")
        : failed(`it answers with HTTP status ${status}`, inItsProject(view));
    },
  },
  {
    code: "MESH144",
    title: "the certificate that it presents is valid now",
    needs: ["MESH143"],
    judge: (view) => {
      const judge = see(view.published).profile === "https_spiffe" ? judgeDates : judgeUnwatched;
      return judge(see(view.presented), view.now, inItsProject(view));
    },
  },
  {
    code: "MESH145",
    title: "the certificate that it presents names the endpoint",
    needs: ["MESH143"],
    judge: (view) => {
      const presented = see(view.presented);
      const wrong = wrongName(presented, expectedAt(see(view.published)));
      return wrong === undefined ? ok(namesOf(presented)) : failed(wrong, inItsProject(view));
    },
  },
  {
    code: "MESH146",
    title: "the published CA vouches for it",
    needs: ["MESH144", "MESH145"],
    judge: (view) => judgeIssuer(see(view.presented), inItsProject(view)),
  },
  {
    code: "MESH147",
    title: "it serves a bundle of this trust domain",
    needs: ["MESH143"],
    judge: (view) => {
      const bundle = parseTrustBundle(see(view.presented).body, see(view.trustDomain), view.now);
      return Array.isArray(bundle) ? failed(explain(bundle), inItsProject(view)) : ok("it does");
    },
  },
  {
    code: "MESH134",
    title: "the SPIRE server runs",
    needs: ["MESH146", "MESH147"],
    judge: () => skipped(NOT_OURS),
  },
];

/** The same questions as of a member, with the same codes: whoever trusts it is as safe as its endpoint. */
export const outsideChecks: readonly Check<OutsideView>[] = checks.map((check) => ({
  ...check,
  source: "its stack's outputs or the config, and its endpoint",
  about: "",
}));
