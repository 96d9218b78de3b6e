/** Where the commands are to be run that cures name. */
import { accessOf, type ClusterAccess } from "../../components/access";

/** Of whom findings are, and where their cures are to be run. */
export interface Place extends ClusterAccess {
  member: string;
  /** Path of the SPIRE server's program in its container; undefined where nobody has looked for it. */
  program?: string;
}

export const placeOf = ({ name, config }: { name: string; config: Parameters<typeof accessOf>[0] }): Place => ({
  member: name,
  ...accessOf(config),
});
