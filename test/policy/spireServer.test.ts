import { federationStays } from "../../policy/spireServer";
import { object, testRule } from "./cases";

const API = "operator.openshift.io/v1alpha1";
const federation = { bundleEndpoint: { profile: "https_web" }, managedRoute: "true" };
const server = (spec: object, options = {}) => object(API, "SpireServer", { spec }, options);
const patch = (spec: object) => object(API, "SpireServerPatch", { spec });

const UNSET =
  "spec.federation: is not set, and a federation that is there would be unset, which the operator refuses; keep it, or own " +
  "other fields alone with a SpireServerPatch";
const UNPROTECTED =
  "options.protect: is not true, and deleting the SpireServer ends SPIRE and every trust in it; set protect: true, or patch " +
  "the SpireServer with SpireFederationServer";

testRule(federationStays, {
  passes: {
    "a patch of the federation": [patch({ federation })],
    "a protected SpireServer": [server({ federation }, { protect: true })],
  },
  refuses: {
    "a SpireServer without federation": [[server({ logLevel: "debug" }, { protect: true })], UNSET],
    "a patch that takes it away": [[patch({ federation: null })], UNSET],
    "a SpireServer that can be deleted": [[server({ federation })], UNPROTECTED],
  },
  nearMisses: {
    "a patch of other fields": [patch({ logLevel: "debug" })],
    "a SpireAgent": [object(API, "SpireAgent", { spec: {} })],
    "a SpireServer of another API": [object("spire.example.com/v1", "SpireServer", { spec: {} })],
  },
});
