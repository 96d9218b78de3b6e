/** Names of the endpoint's objects, where a cluster has them by other names than the procedure's. */
import { checkName } from "../components/shared/arguments";
import { CERTIFICATE_SECRET, OWN_ROUTE, SECRET_READER } from "../components/shared/names";
import type { Problem } from "../components/shared/problem";
import type { Fields } from "./fields";

export interface EndpointNames {
  /** Name of the Certificate. */
  certificate: string;
  /** Name of the secret with the certificate. */
  secret: string;
  /** Name of the Role that lets the router read the secret. */
  role: string;
  /** Name of the RoleBinding that gives the router that Role. */
  roleBinding: string;
  /** Name of the Route, where the stack makes one. */
  route: string;
}

/** The procedure's, which has no Route of its own. */
export const ENDPOINT_NAMES: Readonly<EndpointNames> = {
  certificate: CERTIFICATE_SECRET,
  secret: CERTIFICATE_SECRET,
  role: SECRET_READER.role,
  roleBinding: SECRET_READER.binding,
  route: OWN_ROUTE,
};

export const nameKeys = Object.keys(ENDPOINT_NAMES) as (keyof EndpointNames)[];

export function endpointNames(fields: Fields): EndpointNames {
  const names = { ...ENDPOINT_NAMES, ...fields.texts(...nameKeys) };
  fields.refuseOthers();
  return names;
}

export const checkEndpointNames = (path: string, names: EndpointNames): Problem[] =>
  nameKeys.flatMap((key) => checkName(`${path}.${key}`, names[key]));
