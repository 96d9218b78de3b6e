/** The federation of the SpireServer, which stays once it is set. */
import { type Problem, problem } from "../components/shared/problem";
import { isKind, isPatch } from "./kubernetes";
import type { Resource, Rule } from "./rule";

export const federationStays: Rule = {
  name: "federation-stays",
  description: "No program unsets the federation of the SpireServer, or can delete the SpireServer unnoticed.",
  checkResource: (resource) => {
    if (!isKind(resource, "operator.openshift.io", "SpireServer")) return [];
    return [...checkFederation(resource), ...(isPatch(resource) ? [] : checkProtection(resource))];
  },
};

/** A patch without the field leaves it as it is; a whole object without it unsets it. */
function checkFederation(resource: Resource): Problem[] {
  const spec = (resource.props as { spec?: { federation?: object | null } | null }).spec ?? {};
  const unsets = isPatch(resource)
    ? spec.federation === null
    : spec.federation === undefined || spec.federation === null;
  return unsets
    ? problem(
        "spec.federation",
        "is not set, and a federation that is there would be unset, which the operator refuses; keep it, or own other " +
          "fields alone with a SpireServerPatch",
      )
    : [];
}

/** Pulumi tells no policy of a deletion, nor of retainOnDelete. */
function checkProtection({ opts }: Resource): Problem[] {
  return opts.protect
    ? []
    : problem(
        "options.protect",
        "is not true, and deleting the SpireServer ends SPIRE and every trust in it; set protect: true, or patch the " +
          "SpireServer with SpireFederationServer",
      );
}
