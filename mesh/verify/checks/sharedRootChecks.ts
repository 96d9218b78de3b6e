/** MESH304: whether one root vouches for several trust domains. Pure. */
import { describeSharedRoot, SHARED_ROOT_ADVICE, sharedRoots } from "../../../components/bundle/sharedRoots";
import { type Check, ok, warn } from "../check";
import { fact, type MemberView } from "../subjects";

export const sharedRootChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH304",
    title: "each trust domain has an X.509 root of its own",
    source: "the SPIRE server's store",
    about:
      "Among the member's own roots and those that it holds of others none vouches for two trust domains. Under an upstream CA several " +
      "can have the same root. SPIFFE allows it: a certificate is verified with the bundle of the trust domain that its SPIFFE ID names, and " +
      "the ID is compared. But whoever can issue certificates below that root can speak for each of these trust domains, so this is a warning.",
    needs: ["MESH134"],
    judge: (view) => {
      const bundles = [fact(view, "own"), ...fact(view, "store").bundles];
      const shared = sharedRoots(bundles, view.now);
      if (shared.length > 0) return warn(shared.map(describeSharedRoot).join("\n"), SHARED_ROOT_ADVICE);
      return ok(`none of ${bundles.length} trust domains has another's root`);
    },
  },
];
