import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../components/names";
import type { Place } from "./finding";

/** Ends trust in a trust domain: SPIRE keeps its bundle when nothing asks for it any more. */
export const forgetCommand = (place: Place, trustDomain: string): string =>
  inServer(place, `bundle delete -id spiffe://${trustDomain} -mode dissociate`);

/** A command in the SPIRE server's container. */
export const inServer = ({ context }: Place, command: string): string =>
  `oc --context ${context} exec -n ${OPERAND_NAMESPACE} ${SPIRE_SERVER}-0 -c ${SPIRE_SERVER} -- ` +
  `/opt/spire/bin/spire-server ${command}`;
