import { word } from "../../components/shared/shell";
import { oc } from "../../components/cluster/access";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import type { Place } from "../kernel/place";

/** Of the StatefulSet's one replica; its container is called as the StatefulSet. */
export const POD = `${SPIRE_SERVER}-0`;

/**
 * Where images have the program, the product's first: Red Hat's at the root, the SPIRE project's below /opt/spire.
 * The PATH that ZTWIM's operator sets leads to the second only, so it is always called by its full path.
 */
export const PROGRAMS = ["/spire-server", "/opt/spire/bin/spire-server"] as const;

/** Ends trust in a trust domain: SPIRE keeps its bundle when nothing asks for it any more. */
export const forgetCommand = (place: Place, trustDomain: string): string =>
  inServer(place, `bundle delete -id ${word(`spiffe://${trustDomain}`)} -mode dissociate`);

/** A command in the SPIRE server's container. */
export const inServer = (place: Place, command: string): string =>
  oc(
    place,
    `exec -n ${OPERAND_NAMESPACE} ${POD} -c ${SPIRE_SERVER} -- ${word(place.program ?? PROGRAMS[0])} ${command}`,
  );
