/** What `--json` prints. schema.json is made of these types by `npm run schema`; fields are added, never taken away or given another meaning. */
import type { DriftMember } from "./drift";
import type { PreviewMember } from "./preview";
import type { Removal } from "./removalResult";
import type { StatusMember } from "./status";
import type { UpMember } from "./up";
import type { Verification } from "./verify/verification";

export type Report =
  | { command: "up"; members: UpMember[] }
  | { command: "preview"; members: PreviewMember[] }
  | { command: "drift"; members: DriftMember[] }
  | ({ command: "verify" } & Verification)
  | { command: "status"; members: StatusMember[] }
  | ({ command: "remove" } & Removal);
