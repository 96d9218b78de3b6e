/** The policy pack: Pulumi starts it with `--policy-pack`, and asks it about each resource of a program. */
import { PolicyPack } from "@pulumi/policy";
import { policyOf } from "./rule";
import { RULES } from "./rules";

// Pulumi runs it in the program's folder. @pulumi/policy reads the pack's version from a package.json there, which is
// that of the program, and which a program in Python or YAML does not have.
process.chdir(__dirname);

new PolicyPack("spire-federation", { enforcementLevel: "mandatory", policies: RULES.map(policyOf) });
