/** The certificate of the bundle endpoint. */
import { parseDuration } from "../components/shared/arguments";
import { CERTIFICATE_SECRET, OPERAND_NAMESPACE } from "../components/shared/names";
import { problem } from "../components/shared/problem";
import { isKind, namespaceOf } from "./kubernetes";
import type { Resource, Rule } from "./rule";

/** cert-manager's default of `duration`. */
const USUAL_DURATION = "2160h";

const SERVER_AUTH = "server auth";

interface Spec {
  secretName?: string;
  dnsNames?: string[];
  duration?: string;
  renewBefore?: string;
  usages?: string[];
}

const isCertificate = (resource: Resource): boolean =>
  isKind(resource, "cert-manager.io", "Certificate") && namespaceOf(resource) === OPERAND_NAMESPACE;

const specOf = ({ props }: Resource): Spec => (props as { spec?: Spec | null }).spec ?? {};

export const renewedBeforeItsEnd: Rule = {
  name: "renewed-before-its-end",
  description: `A Certificate in ${OPERAND_NAMESPACE} has a renewBefore that is less than its duration.`,
  checkResource: (resource) => {
    if (!isCertificate(resource)) return [];
    const { duration = USUAL_DURATION, renewBefore } = specOf(resource);
    const lives = parseDuration(duration);
    const before = renewBefore === undefined ? undefined : parseDuration(renewBefore);
    if (renewBefore === undefined || lives === undefined || before === undefined || before < lives) return [];
    return problem(
      "spec.renewBefore",
      `"${renewBefore}" is not less than duration "${duration}", so that the certificate would always be due; ` +
        "set a shorter one, such as 360h with a duration of 2160h",
    );
  },
};

export const certificateForServers: Rule = {
  name: "certificate-for-servers",
  description: "The Certificate of the bundle endpoint has the usage server auth.",
  checkResource: (resource) => {
    if (!isCertificate(resource) || !isOfEndpoint(specOf(resource))) return [];
    const { usages = [] } = specOf(resource);
    if (usages.includes(SERVER_AUTH)) return [];
    const are = usages.length === 0 ? "are not set" : `are ${usages.join(", ")}`;
    return problem("spec.usages", `${are}, and peers ask for a server's certificate; add "${SERVER_AUTH}"`);
  },
};

/** The namespace may have certificates of other purposes, such as a client's for a database. */
const isOfEndpoint = ({ secretName, dnsNames = [] }: Spec): boolean =>
  secretName === CERTIFICATE_SECRET || dnsNames.some((name) => name.startsWith("federation."));
