/** Where the commands of a cure are to be run. */
import { word } from "../../components/shared/shell";
import { accessOf, type ClusterAccess } from "../../components/cluster/access";

/** The member that a finding is about, and where its cure is to be run. */
export interface Place extends ClusterAccess {
  member: string;
  /** Path of the SPIRE server's program in its container; undefined where nobody has looked for it. */
  program?: string;
}

export const placeOf = ({ name, config }: { name: string; config: ClusterAccess }): Place => ({
  member: name,
  ...accessOf(config),
});

/** `npx pulumi up --refresh --stack cluster1`, which puts right what is the stack's. */
export const upAgain = ({ member }: Place): string => `npx pulumi up --refresh --stack ${word(member)}`;
