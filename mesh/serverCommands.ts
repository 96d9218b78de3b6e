import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../components/names";
import type { Place } from "./finding";

/** Of the StatefulSet's one replica; its container is called as the StatefulSet. */
export const POD = `${SPIRE_SERVER}-0`;

export const PROGRAM = "/opt/spire/bin/spire-server";

/** Ends trust in a trust domain: SPIRE keeps its bundle when nothing asks for it any more. */
export const forgetCommand = (place: Place, trustDomain: string): string =>
  inServer(place, `bundle delete -id spiffe://${trustDomain} -mode dissociate`);

/** A command in the SPIRE server's container. */
export const inServer = ({ context }: Place, command: string): string =>
  `oc --context ${context} exec -n ${OPERAND_NAMESPACE} ${POD} -c ${SPIRE_SERVER} -- ${PROGRAM} ${command}`;
